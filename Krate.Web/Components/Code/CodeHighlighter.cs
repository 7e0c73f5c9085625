using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Caching.Memory;
using TextMateSharp.Grammars;
using TextMateSharp.Registry;

namespace Krate.Web.Components.Code;

/// <summary>
/// Finds the coloured parts of code with TextMate grammars, on the server. What is large, or takes longer than a second, stays plain
/// from there on. Answers are kept by blob id. Thread-safe.
/// </summary>
public sealed class CodeHighlighter : IDisposable
{
    private const int MaxChars = 512 << 10;
    private const int MaxLines = 10_000;

    /// <summary>The time for a line grows with the square of its length.</summary>
    private const int MaxLineChars = 1000;
    private const int MaxKeptSpans = 2_000_000;
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(1);
    private static readonly RegistryOptions Options = new(ThemeName.Light);

    private readonly MemoryCache kept = new(new MemoryCacheOptions { SizeLimit = MaxKeptSpans });
    private readonly ConcurrentBag<Registry> registries = [];
    private readonly SemaphoreSlim workers = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>Whether files of this name have colours.</summary>
    public static bool Knows(string fileName) => Languages.ScopeOf(Options, fileName) is not null;

    /// <summary>The coloured parts of each line.</summary>
    /// <param name="blobId">Under which the answer is kept.</param>
    /// <param name="fileName">Name or path; says the language.</param>
    /// <returns>Null for plain text.</returns>
    public Task<IReadOnlyList<IReadOnlyList<CodeSpan>>?> SpansAsync(string blobId, string fileName, IReadOnlyList<string> lines, CancellationToken ct) =>
        SpansAsync(blobId, () => Languages.ScopeOf(Options, fileName), lines, ct);

    /// <summary>A fenced block of Markdown as HTML.</summary>
    /// <param name="language">As people write it behind the fence: "csharp", "sh", "yml".</param>
    public async Task<string> FenceToHtmlAsync(string language, string text, CancellationToken ct)
    {
        var lines = CodeLines.Split(text);
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var spans = await SpansAsync(key, () => Languages.ScopeOfFence(Options, language), lines, ct) ?? [];
        return string.Join('\n', lines.Select((line, i) => CodeLines.LineToHtml(line, i < spans.Count ? spans[i] : [])));
    }

    /// <summary>The lines of a file as HTML, one element per line.</summary>
    public async Task<string> ToHtmlAsync(string blobId, string fileName, string text, CancellationToken ct)
    {
        var lines = CodeLines.Split(text);
        return CodeLines.ToHtml(lines, text.Length > MaxChars ? null : await SpansAsync(blobId, fileName, lines, ct));
    }

    public void Dispose()
    {
        kept.Dispose();
        workers.Dispose();
    }

    private async Task<IReadOnlyList<IReadOnlyList<CodeSpan>>?> SpansAsync(string blobId, Func<string?> language, IReadOnlyList<string> lines, CancellationToken ct)
    {
        if (lines.Count > MaxLines || language() is not { } scope) return null;
        if (kept.TryGetValue((blobId, scope), out IReadOnlyList<IReadOnlyList<CodeSpan>>? known)) return known;
        await workers.WaitAsync(ct);
        try
        {
            var spans = await Task.Run(() => Tokenize(scope, lines, ct), ct);
            return kept.Set((blobId, scope), spans, new MemoryCacheEntryOptions { Size = 1 + lines.Count + spans.Sum(l => l.Count) });
        }
        finally
        {
            workers.Release();
        }
    }

    private List<IReadOnlyList<CodeSpan>> Tokenize(string scope, IReadOnlyList<string> lines, CancellationToken ct)
    {
        // A grammar fills itself while it is used: one user at a time.
        var registry = registries.TryTake(out var free) ? free : new Registry(Options);
        var result = new List<IReadOnlyList<CodeSpan>>(lines.Count);
        try
        {
            if (registry.LoadGrammar(scope) is not { } grammar) return result;
            var clock = Stopwatch.StartNew();
            IStateStack? state = null;
            foreach (var line in lines)
            {
                ct.ThrowIfCancellationRequested();
                if (clock.Elapsed > Budget) break;
                if (line.Length > MaxLineChars)
                {
                    result.Add([]);
                    continue;
                }

                var tokens = grammar.TokenizeLine(line, state, Budget);
                state = tokens.RuleStack;
                result.Add(SpansOf(tokens.Tokens, line.Length));
            }

            return result;
        }
        finally
        {
            registries.Add(registry);
        }
    }

    private static List<CodeSpan> SpansOf(IToken[] tokens, int length)
    {
        var spans = new List<CodeSpan>();
        foreach (var token in tokens)
        {
            var (start, end) = (token.StartIndex, Math.Min(token.EndIndex, length));
            if (end <= start || Languages.ClassOf(token.Scopes) is not { Length: > 0 } css) continue;
            if (spans is [.., var last] && last.Class == css && last.Start + last.Length == start) spans[^1] = last with { Length = end - last.Start };
            else spans.Add(new CodeSpan(start, end - start, css));
        }

        return spans;
    }
}
