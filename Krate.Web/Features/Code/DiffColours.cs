using Krate.Core.Git;
using Krate.Web.Components.Code;

namespace Krate.Web.Features.Code;

/// <summary>The coloured parts of the lines of one file's hunks.</summary>
public sealed class DiffColours
{
    private readonly Dictionary<DiffLine, IReadOnlyList<CodeSpan>> spans = new(ReferenceEqualityComparer.Instance);

    public IReadOnlyList<CodeSpan> Of(DiffLine line) => spans.GetValueOrDefault(line, []);

    /// <summary>Colours each side of a hunk as a text of its own: what began above a hunk (a long comment) is not known.</summary>
    /// <returns>Null for plain text.</returns>
    public static async Task<DiffColours?> ReadAsync(CodeHighlighter highlighter, DiffFile file, IReadOnlyList<DiffHunk> hunks, CancellationToken ct)
    {
        if (!CodeHighlighter.Knows(file.Path)) return null;
        var colours = new DiffColours();
        foreach (var hunk in hunks)
        {
            await colours.AddAsync(highlighter, file.OldPath, $"{file.OldId}:{file.Id}:{hunk.OldStart},{hunk.OldCount}", [.. hunk.Lines.Where(l => l.Kind == DiffLineKind.Removed || l.Old is not null)], ct);
            await colours.AddAsync(highlighter, file.Path, $"{file.Id}:{file.OldId}:{hunk.NewStart},{hunk.NewCount}", [.. hunk.Lines.Where(l => l.New is not null)], ct);
        }

        return colours;
    }

    private async Task AddAsync(CodeHighlighter highlighter, string path, string key, List<DiffLine> lines, CancellationToken ct)
    {
        if (await highlighter.SpansAsync(key, path, [.. lines.Select(l => l.Text.TrimEnd('\r'))], ct) is not { } found) return;
        for (var i = 0; i < Math.Min(found.Count, lines.Count); i++) spans[lines[i]] = found[i];
    }
}
