namespace Lumora.Cli.Reports;

/// <summary>A command cannot do its work; the message says what is missing and what to do.</summary>
internal sealed class UnableException : Exception
{
    public UnableException(string message)
        : base(message)
    {
    }

    public UnableException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
