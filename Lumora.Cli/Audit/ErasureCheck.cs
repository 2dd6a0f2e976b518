using System.Globalization;
using System.Text.Json;
using Lumora.Cli.Reports;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Kernel;
using Lumora.Domain.Participants;

namespace Lumora.Cli.Audit;

/// <summary>
/// Every personal field is sealed, and what was erased says so: an erasure is an event of its subject's own stream, comes once, and
/// nothing follows it there. Whether the key is gone shows no log; that the ciphertext did not change, the tree does.
/// </summary>
internal sealed class ErasureCheck : IAuditPart
{
    /// <summary>The claim that this checks.</summary>
    public const string Claim = "erasures_told";

    private const string Erasure = "participant_erased";
    private const string StreamPrefix = Participant.IdPrefix + "/";

    // Whose name an event with a sealed field bears.
    private static readonly string[] SubjectNames = ["participantId", "buyerId"];

    /// <summary>The events with a sealed field: what names its subject, and the field.</summary>
    private static readonly Dictionary<string, (string Subject, string Field)> SealedFields =
        (from contract in EventCatalog.All
         let names = contract.Type.GetProperties()
             .ToDictionary(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name), StringComparer.Ordinal)
         from field in names
         where field.Value.PropertyType == typeof(Sealed)
         select (contract.Name, Subject: SubjectNames.First(names.ContainsKey), Field: field.Key))
        .ToDictionary(found => found.Name, found => (found.Subject, found.Field), StringComparer.Ordinal);

    // Sealed fields by subject, and the entry of each erasure.
    private readonly Dictionary<string, long> _fields = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _erased = new(StringComparer.Ordinal);

    /// <summary>Subjects with sealed fields so far.</summary>
    public int Subjects => _fields.Count;

    /// <summary>What the claim says when it holds.</summary>
    public string Detail => string.Create(
        CultureInfo.InvariantCulture,
        $"{_erased.Count} of {_fields.Count} subjects erased: their {_erased.Keys.Sum(subject => _fields.GetValueOrDefault(subject))} sealed fields are ciphertext for good; no personal field stands in clear");

    /// <inheritdoc/>
    public IEnumerable<Finding> Take(LoggedEvent entry) =>
        Fault(entry) is { } fault ? [new Finding(Claim, entry.Where, fault)] : [];

    /// <inheritdoc/>
    public void Save(BinaryWriter output)
    {
        foreach (var numbers in (Dictionary<string, long>[])[_fields, _erased])
        {
            output.WriteList(numbers, pair =>
            {
                output.Write(pair.Key);
                output.Write7BitEncodedInt64(pair.Value);
            });
        }
    }

    /// <inheritdoc/>
    public void Load(BinaryReader input)
    {
        foreach (var numbers in (Dictionary<string, long>[])[_fields, _erased])
        {
            foreach (var (subject, number) in input.ReadList(() => (input.ReadString(), input.Read7BitEncodedInt64())))
                numbers[subject] = number;
        }
    }

    // The data is read for the few events that need it.
    private string? Fault(LoggedEvent logged)
    {
        var leaf = logged.Leaf;
        var own = leaf.Stream.StartsWith(StreamPrefix, StringComparison.Ordinal) ? leaf.Stream[StreamPrefix.Length..] : null;
        if (own is not null && _erased.TryGetValue(own, out var entry))
            return string.Create(CultureInfo.InvariantCulture, $"it changes a subject that entry {entry} has erased");
        if (SealedFields.TryGetValue(leaf.Type, out var names))
        {
            if (Text(logged.Data, names.Subject) is not { } subject)
                return $"its data has no {names.Subject}";
            _fields[subject] = _fields.GetValueOrDefault(subject) + 1;
            return Sealed.TryParse(Text(logged.Data, names.Field), out _)
                ? null
                : $"its {names.Field} is not sealed: personal data in clear, or taken out without an erasure";
        }

        if (leaf.Type != Erasure)
            return null;
        if (own is null || Text(logged.Data, "participantId") != own)
            return "it erases another subject than that of its stream";
        if (!_fields.ContainsKey(own))
            return "it erases a subject that nobody has registered";
        _erased[own] = logged.Index;
        return null;
    }

    private static string? Text(JsonElement data, string name) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
