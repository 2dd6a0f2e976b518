using System.Text;
using Lumora.Cli.Audit;
using Lumora.Domain.Cryptography;
using Lumora.Domain.Log;
using Lumora.Domain.Participants;

namespace Lumora.Integration.Tests.Cli;

/// <summary>The auditor tells erasures from the log alone, and personal data that is not sealed.</summary>
public sealed class AuditOfErasuresSpecs
{
    private const string Claim = "erasures_told";
    private const string Alice = "participant_00000000000000000000000001";
    private const string Bob = "participant_00000000000000000000000002";

    private static readonly DateTimeOffset At = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Erased_subjects_are_told_with_their_sealed_fields()
    {
        using var log = WithTwo();
        log.Add(Stream(Alice), 2, new AgeRecipientChanged(Alice, Box(Alice, Participant.AgeRecipientField), At));
        log.Add(Stream(Alice), 3, new ErasureOrdered(Alice, "asked by letter", At));
        log.Add(Stream(Alice), 4, new ParticipantErased(Alice, At));
        (await AuditAsync(log)).Must(
            0, "proven offline", Claim, "1 of 2 subjects erased: their 2 sealed fields are ciphertext for good");
    }

    [Fact]
    public async Task A_field_in_clear_and_one_that_was_taken_out_are_found()
    {
        using var log = WithTwo();
        log.Add(Unsealed(2, """{"participantId":"participant_00000000000000000000000001","payoutAddress":"4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM","at":"2026-01-01T00:00:00.000000Z"}"""));
        log.Add(Unsealed(3, """{"participantId":"participant_00000000000000000000000001","payoutAddress":null,"at":"2026-01-01T00:00:00.000000Z"}"""));
        var said = await AuditAsync(log);
        said.Must(1, "WRONG", "entry 2, ", "its payoutAddress is not sealed");
        said.Must(1, "WRONG", "entry 3, ", "its payoutAddress is not sealed");
        said.Must(1, "not proven", Claim, "2 findings");
    }

    [Fact]
    public async Task Whatever_follows_an_erasure_on_its_stream_is_found_and_so_is_an_erasure_of_somebody_else()
    {
        using var log = WithTwo();
        log.Add(Stream(Alice), 2, new ParticipantErased(Alice, At));
        log.Add(Stream(Alice), 3, new PayoutAddressChanged(Alice, Box(Alice, Participant.PayoutAddressField), At));
        log.Add(Stream(Bob), 2, new ParticipantErased(Alice, At));
        log.Add(Stream("participant_00000000000000000000000003"), 1, new ParticipantErased("participant_00000000000000000000000003", At));
        var said = await AuditAsync(log);
        said.Must(1, "WRONG", "entry 3, ", "it changes a subject that entry 2 has erased");
        said.Must(1, "WRONG", "entry 4, ", "it erases another subject");
        said.Must(1, "WRONG", "entry 5, ", "it erases a subject that nobody has registered");
    }

    [Theory]
    [InlineData("participant_registered", "participantId", "wallet")]
    [InlineData("age_recipient_changed", "participantId", "ageRecipient")]
    [InlineData("dataset_purchased", "buyerId", "recipient")]
    public async Task Every_kind_of_sealed_field_is_looked_at(string type, string subject, string field)
    {
        using var log = new ForgedLog();
        log.Add(Unsealed(1, $$"""{"{{subject}}":"{{Alice}}","{{field}}":"in clear"}""", type));
        (await AuditAsync(log)).Must(1, "WRONG", $"({type})", $"its {field} is not sealed");
    }

    private static ForgedLog WithTwo()
    {
        var log = new ForgedLog();
        foreach (var subject in (string[])[Alice, Bob])
            log.Add(Stream(subject), 1, new ParticipantRegistered(subject, Box(subject, Participant.WalletField), At));
        return log;
    }

    private static byte[] Unsealed(long version, string data, string type = "payout_address_changed") =>
        new Leaf("main", Stream(Alice), version, Guid.NewGuid(), type, At, Alice, null)
            .Encode(Encoding.UTF8.GetBytes(data)).Bytes;

    private static string Stream(string subject) => Participant.StreamOf(subject);

    private static Sealed Box(string subject, string field) =>
        Sealed.Seal(new byte[Sealed.KeyLength], subject, field, "what is nobody's business", nonce => nonce.Fill(7));

    private static async Task<Said> AuditAsync(ForgedLog log)
    {
        await log.PublishAsync();
        return await LoggedHost.RunAsync(AuditCommand.Create(), "--folder", Path.Combine(log.Folder, "log"), "--key", log.Key);
    }
}
