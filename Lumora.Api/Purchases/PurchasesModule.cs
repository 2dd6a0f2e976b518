using Lumora.Api.Deliveries;

namespace Lumora.Api.Purchases;

/// <summary>Purchases, escrow and deliveries.</summary>
internal static class PurchasesModule
{
    /// <summary>Adds the slices; their options are the section <c>Market</c>.</summary>
    public static WebApplicationBuilder AddPurchases(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Purchasing>();
        builder.Services.AddSingleton<Escrow>();
        builder.Services.AddSingleton<Delivering>();
        builder.Services.AddSingleton<DeliveryEndpoint>();
        builder.Services.AddHostedService<EscrowSweeper>();
        return builder;
    }

    /// <summary>Maps the downloads.</summary>
    public static WebApplication MapPurchases(this WebApplication endpoints)
    {
        endpoints.MapMethods(
            "/deliveries/{grant}/{file}", [HttpMethods.Get, HttpMethods.Head],
            (HttpContext context, DeliveryEndpoint endpoint, string grant, string file) => endpoint.ServeAsync(context, grant, file))
            .AllowAnonymous();
        return endpoints;
    }
}
