using System.Net;
using FluentValidation;

namespace Lumora.Domain.Tasks;

/// <summary>All rules that a proposed collection must hold; every broken one is reported in the same call.</summary>
public sealed class CollectionRules : AbstractValidator<CollectionPlan>
{
    /// <summary>Most pages of one collection.</summary>
    public const int PagesCeiling = 10_000;

    private readonly bool _allowLoopback;

    /// <summary>The rules.</summary>
    /// <param name="syntax">Compiles CSS selectors; the same one that nodes use.</param>
    /// <param name="allowLoopback">Development switch: this machine's own addresses may be visited.</param>
    public CollectionRules(ISelectorSyntax syntax, bool allowLoopback)
    {
        _allowLoopback = allowLoopback;
        RuleFor(plan => plan.Title).Length(3, 120);
        RuleFor(plan => plan.Purpose).Length(3, 2_000);
        RuleFor(plan => plan.Licence).Length(2, 200);
        RuleFor(plan => plan.Replication).Equal(1).WithMessage("Only 1 node per task is offered.");
        RuleFor(plan => plan.PagesMax).InclusiveBetween(1, PagesCeiling);
        RuleFor(plan => plan.PagesPerTask).InclusiveBetween(1, 100);
        RuleFor(plan => plan.PageBytesMax).InclusiveBetween(1_024, NodeProtocol.PageBytesCeiling);
        RuleFor(plan => plan.RecordsPerPageMax).InclusiveBetween(1, NodeProtocol.RecordsPerPageCeiling);
        RuleFor(plan => plan.AttemptsMax).InclusiveBetween(1, 20);
        Hosts();
        Pages();
        Fields(syntax);
    }

    private void Hosts()
    {
        RuleFor(plan => plan.AllowedHosts).Must(hosts => hosts.Count is > 0 and <= NodeProtocol.AllowedHostsMax)
            .WithMessage($"1 to {NodeProtocol.AllowedHostsMax} hosts.");
        RuleForEach(plan => plan.AllowedHosts)
            .Must(HostRule.IsValid).WithMessage("'{PropertyValue}' is not a host rule, for example example.org.");
    }

    private void Pages()
    {
        RuleFor(plan => plan.Urls).Must(urls => urls.Count <= PagesCeiling)
            .WithMessage("At most 10,000 URLs.");
        RuleFor(plan => plan.Urls).Must((plan, urls) => urls.Count > 0 != plan.Sitemap is not null)
            .WithMessage("Give URLs or a sitemap, not both and not neither.");
        RuleForEach(plan => plan.Urls)
            .Must(IsAllowed).WithMessage("'{PropertyValue}' is not a public http(s) page of an allowed host.");
        RuleFor(plan => plan.Sitemap)
            .Must((plan, url) => IsAllowed(plan, url!)).When(plan => plan.Sitemap is not null)
            .WithMessage("'{PropertyValue}' is not a public http(s) address of an allowed host.");
    }

    private void Fields(ISelectorSyntax syntax)
    {
        RuleFor(plan => plan.Rules).Must(rules => rules.Count is > 0 and <= ExtractionRules.RulesMax)
            .WithMessage($"1 to {ExtractionRules.RulesMax} fields.");
        RuleFor(plan => plan.Rules)
            .Must(rules => rules.Select(rule => rule.Field).Distinct(StringComparer.Ordinal).Count() == rules.Count)
            .WithMessage("Each field once.");
        // One rule at a time, so that every faulty one is named and not only the first.
        RuleForEach(plan => plan.Rules).Custom((rule, context) =>
        {
            if (ExtractionRules.Check([rule], recordSelector: null, syntax) is { } fault)
                context.AddFailure(fault.Message);
        });
        RuleFor(plan => plan.RecordSelector)
            .Must(text => text!.Length is > 0 and <= ExtractionRules.SelectorLengthMax && syntax.IsValid(text))
            .When(plan => plan.RecordSelector is not null)
            .WithMessage("'{PropertyValue}' is not a CSS selector.");
    }

    private bool IsAllowed(CollectionPlan plan, string text) =>
        PageUrl.TryNormalize(text, out var page)
        && HostRule.Admits(plan.AllowedHosts, new Uri(page.Url))
        && MayVisit(new Uri(page.Url).IdnHost.Trim('[', ']'));

    // Names are resolved and checked again by whoever fetches; here the plain cases are told at once.
    private bool MayVisit(string host) => IPAddress.TryParse(host, out var address)
        ? PublicAddress.MayConnect(address, _allowLoopback)
        : _allowLoopback || host is not "localhost" && !host.EndsWith(".localhost", StringComparison.Ordinal);
}
