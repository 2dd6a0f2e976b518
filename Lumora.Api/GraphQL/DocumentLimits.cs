using System.Buffers;
using System.Text;
using GraphQL;
using GraphQLParser;
using GraphQLParser.AST;

namespace Lumora.Api.GraphQL;

/// <summary>
/// What is refused before validation. The library's rules walk fragments each time they are spread, so a short document
/// of fragments that spread each other twice costs exponential time; counting with memory costs none.
/// </summary>
internal sealed class DocumentLimits(GraphQLOptions options)
{
    /// <summary>
    /// Throws a coded error when <paramref name="query"/> has too many tokens, or a text that no database keeps; leaves bad
    /// syntax to the parser.
    /// </summary>
    public void CheckTokens(string query)
    {
        var (position, tokens) = (0, 0);
        while (true)
        {
            var token = Lexer.Lex(query, position);
            if (token.Kind == TokenKind.EOF)
                return;
            if (++tokens > options.TokensMax)
            {
                throw new ExecutionError($"The document has more than {options.TokensMax} tokens.")
                {
                    Code = ErrorCodes.DocumentTooLarge,
                };
            }
            if (token.Kind == TokenKind.STRING && !IsSound(token.Value.Span))
            {
                throw new ExecutionError("A text holds U+0000 or half of a surrogate pair; leave it out.")
                {
                    Code = ErrorCodes.BadRequest,
                };
            }
            position = token.End;
        }
    }

    /// <summary>Throws a coded error when <paramref name="document"/> has too many aliases or selections.</summary>
    public void CheckSelections(GraphQLDocument document)
    {
        var counter = new Counter(document, options.SelectionsMax);
        foreach (var definition in document.Definitions)
        {
            if (definition is IHasSelectionSetNode { SelectionSet: { } selections }
                && counter.Count(selections) > options.SelectionsMax)
            {
                throw new ExecutionError($"The document selects more than {options.SelectionsMax} fields.")
                {
                    Code = ErrorCodes.DocumentTooLarge,
                };
            }
        }
        if (counter.Aliases > options.AliasesMax)
        {
            throw new ExecutionError($"The document has more than {options.AliasesMax} aliases.")
            {
                Code = ErrorCodes.TooManyAliases,
            };
        }
    }

    private static bool IsSound(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out var length) != OperationStatus.Done || rune.Value == 0)
                return false;
            text = text[length..];
        }
        return true;
    }

    private sealed class Counter(GraphQLDocument document, int max)
    {
        private readonly Dictionary<string, long> _fragments = new(StringComparer.Ordinal);

        public int Aliases { get; private set; }

        public long Count(GraphQLSelectionSet? selections)
        {
            long count = 0;
            foreach (var selection in selections?.Selections ?? [])
            {
                count += 1 + selection switch
                {
                    GraphQLField field => CountField(field),
                    GraphQLInlineFragment inline => Count(inline.SelectionSet),
                    GraphQLFragmentSpread spread => CountFragment(spread.FragmentName.Name),
                    _ => 0,
                };
                count = Math.Min(count, max + 1L);
            }
            return count;
        }

        private long CountField(GraphQLField field)
        {
            if (field.Alias is not null)
                Aliases++;
            return Count(field.SelectionSet);
        }

        private long CountFragment(GraphQLName name)
        {
            if (_fragments.TryGetValue(name.StringValue, out var known))
                return known;
            _fragments[name.StringValue] = 0; // A cycle counts nothing here; a validation rule refuses it.
            return _fragments[name.StringValue] = Count(document.FindFragmentDefinition(name.Value)?.SelectionSet);
        }
    }
}
