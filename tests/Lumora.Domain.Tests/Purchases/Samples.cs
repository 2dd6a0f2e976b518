using Lumora.Domain.Cryptography;

namespace Lumora.Domain.Tests.Purchases;

internal static class Samples
{
    public static Sealed Sealed { get; } = Sealed.Seal(new byte[Sealed.KeyLength], "participant_buyer", "age_recipient", "age1", bytes => bytes.Clear());
}
