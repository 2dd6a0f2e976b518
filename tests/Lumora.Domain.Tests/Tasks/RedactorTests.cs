using Lumora.Domain.Tasks;

namespace Lumora.Domain.Tests.Tasks;

public sealed class RedactorTests
{
    [Theory]
    [InlineData("Write to jane.doe+x@mail.example.org now", "Write to [email] now", "email")]
    [InlineData("Call +44 20 7946 0958.", "Call [phone].", "phone")]
    [InlineData("(212) 555-0123 or later", "[phone] or later", "phone")]
    [InlineData("Tel. 030/1234567", "Tel. [phone]", "phone")]
    [InlineData("01 23 45 67 89", "[phone]", "phone")]
    [InlineData("SSN 078-05-1120", "SSN [national_id]", "national_id")]
    [InlineData("NI AB 12 34 56 C", "NI [national_id]", "national_id")]
    [InlineData("CPF 529.982.247-25", "CPF [national_id]", "national_id")]
    [InlineData("IBAN GB82 WEST 1234 5698 7654 32", "IBAN [national_id]", "national_id")]
    public void Personal_data_is_replaced_and_counted(string text, string expected, string kind)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        Assert.Equal(expected, Redactor.Redact(text, counts));
        Assert.Equal(new Dictionary<string, int>(StringComparer.Ordinal) { [kind] = 1 }, counts);
    }

    [Theory]
    [InlineData("PostgreSQL 15.18 was released on 2026-11-12 at 10:00:00")]
    [InlineData("ISBN 978-3-16-148410-0, price 1,234.56 EUR, +5 points")]
    [InlineData("CPF 529.982.247-26 has wrong check digits")]
    [InlineData("GB82 WEST 1234 5698 7654 33 has a wrong remainder")]
    [InlineData("000-12-3456 and 192.168.100.200 and 1.2.3.4/24")]
    [InlineData("@decorator and a@b are no addresses; SELECT 1234567890")]
    public void Other_text_and_numbers_stay(string text)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        Assert.Equal(text, Redactor.Redact(text, counts));
        Assert.Empty(counts);
    }
}
