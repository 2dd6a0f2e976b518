using JasperFx.Events.Projections;
using Lumora.Domain.Participants;
using Marten;
using Weasel.Postgresql.Tables;

namespace Lumora.Projections.Participants;

/// <summary>Lays out participants and what identifies them at sign-in.</summary>
public static class ParticipantsStore
{
    /// <summary>Adds the slice's projection and tables to the store.</summary>
    public static void Configure(StoreOptions options)
    {
        options.Projections.Add(new ParticipantView(), ProjectionLifecycle.Inline);
        // Few of very many are stewards.
        options.Schema.For<Participant>().Index(participant => participant.Roles);
        foreach (var table in (Table[])[Wallets(), UsedNonces(), RefreshTokens()])
            options.Storage.ExtendedSchemaObjects.Add(table);
    }

    // The blind index: see docs/sealed-fields.md.
    private static Table Wallets()
    {
        var table = Named("participant_wallet");
        table.AddColumn("wallet_index", "text").NotNull().AsPrimaryKey();
        table.AddColumn("participant_id", "text").NotNull();
        table.Indexes.Add(new IndexDefinition("participant_wallet_participant") { Columns = ["participant_id"], IsUnique = true });
        return table;
    }

    // Only nonces that came back with a good signature are stored; strangers store nothing.
    private static Table UsedNonces()
    {
        var table = Named("auth_nonce_used");
        table.AddColumn("nonce", "text").NotNull().AsPrimaryKey();
        table.AddColumn("expires_at", "timestamp with time zone").NotNull();
        return table;
    }

    // Tokens are kept as SHA-256; a family is all that descend from one sign-in.
    private static Table RefreshTokens()
    {
        var table = Named("auth_refresh_token");
        table.AddColumn("hash", "text").NotNull().AsPrimaryKey();
        table.AddColumn("family", "uuid").NotNull();
        table.AddColumn("participant_id", "text").NotNull();
        table.AddColumn("expires_at", "timestamp with time zone").NotNull();
        table.AddColumn("used_at", "timestamp with time zone");
        table.Indexes.Add(new IndexDefinition("auth_refresh_token_family") { Columns = ["family"] });
        return table;
    }

    private static Table Named(string name) => new($"public.{name}");
}
