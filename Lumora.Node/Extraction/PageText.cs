using System.Text;
using AngleSharp.Html.Parser;
using AngleSharp.Text;

namespace Lumora.Node.Extraction;

/// <summary>
/// From bytes to text as browsers do it (HTML Standard §13.2.3): byte order mark, then the header's charset, then the
/// page's own meta element within its first 1,024 bytes, else UTF-8 where the bytes are, else windows-1252.
/// </summary>
internal static class PageText
{
    private const int PrescanBytes = 1024;
    private const char Replacement = '\uFFFD';

    /// <summary>The text of <paramref name="body"/>, or null when the charset is unknown or more than one character in a thousand is not in it.</summary>
    internal static string? Decode(byte[] body, string? headerCharset)
    {
        if (FromByteOrderMark(body) is { } marked)
            return marked;
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var charset = headerCharset ?? MetaCharset(body);
        if (charset is null)
            return FromUtf8(body) ?? Encoding.GetEncoding(1252).GetString(body);
        if (!TextEncoding.IsSupported(charset))
            return null;

        var encoding = TextEncoding.Resolve(charset);
        // A meta element that could be read as ASCII is not in UTF-16 (HTML Standard, "change the encoding").
        if (headerCharset is null && encoding is UnicodeEncoding)
            encoding = Encoding.UTF8;
        var text = encoding.GetString(body);
        return text.Count(c => c == Replacement) > text.Length / 1000 ? null : text;
    }

    private static string? FromByteOrderMark(byte[] body) => body switch
    {
        [0xEF, 0xBB, 0xBF, ..] => Encoding.UTF8.GetString(body, 3, body.Length - 3),
        [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode.GetString(body, 2, body.Length - 2),
        [0xFF, 0xFE, ..] => Encoding.Unicode.GetString(body, 2, body.Length - 2),
        _ => null,
    };

    private static string? FromUtf8(byte[] body)
    {
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static string? MetaCharset(byte[] body)
    {
        var start = Encoding.Latin1.GetString(body, 0, Math.Min(body.Length, PrescanBytes));
        using var head = new HtmlParser().ParseDocument(start);
        if (head.QuerySelector("meta[charset]")?.GetAttribute("charset") is { } charset)
            return charset.Trim();
        var content = head.QuerySelector("meta[http-equiv='content-type' i]")?.GetAttribute("content");
        var at = content?.IndexOf("charset=", StringComparison.OrdinalIgnoreCase) ?? -1;
        return at < 0 ? null : content![(at + "charset=".Length)..].Split(';')[0].Trim(' ', '"', '\'');
    }
}
