using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Resources;

namespace Krate.Core.Context;

/// <summary>
/// Makes the bundle of a run out of what was read for it: secrets taken out, hidden characters shown, suspicious places named, sizes kept, everything
/// digested (spec 06). Pure: no clock, no chance, no store.
/// </summary>
public sealed class ContextAssembler
{
    private const int MostFindings = 100;
    private const string Untrusted = "untrusted";
    private readonly Redactor redactor;
    private readonly ContextLimits limits;
    private readonly SortedDictionary<string, int> redactions = new(StringComparer.Ordinal);
    private readonly List<string> findings = [], omissions = [];

    private ContextAssembler(Redactor redactor, ContextLimits limits) => (this.redactor, this.limits) = (redactor, limits);

    /// <exception cref="ApiException">422 when the layers are larger than a prompt may be: instructions are never cut.</exception>
    public static ContextBundle Assemble(ContextDraft draft, Redactor redactor, ContextLimits limits) => new ContextAssembler(redactor, limits).Run(draft);

    private ContextBundle Run(ContextDraft draft)
    {
        omissions.AddRange(draft.Omissions);
        var layers = draft.Layers.Where(l => l.Text.Trim().Length > 0).Select(Layer).ToList();
        if (layers.Sum(l => l.Bytes) > limits.PromptBytes) throw TooLarge(layers);
        var sources = Fit(draft.Sources.Where(s => s.Text.Length > 0), limits.BundleBytes - layers.Sum(l => l.Bytes));
        var digest = DigestOf(layers, sources);
        if (findings.Count > MostFindings) findings.RemoveRange(MostFindings, findings.Count - MostFindings);
        return new()
        {
            Layers = layers, Sources = sources, RiskFindings = [.. findings], Redactions = redactions, Omissions = [.. omissions], Digest = digest,
            TrustTier = sources.Any(s => s.Source.TrustTier == Untrusted) ? Untrusted : "trusted", Boundary = BoundaryFor(digest, [.. layers.Select(l => l.Text), .. sources.Select(s => s.Text)]),
        };
    }

    private BundleLayer Layer(PromptLayer layer)
    {
        var (text, _) = Clean(layer.Text.Trim(), layer.Name);
        return new(layer.Name, text, ContentDigest.Of(text));
    }

    /// <summary>As many whole sources as there is place for, the first ones first.</summary>
    private List<BundleSource> Fit(IEnumerable<SourceText> all, int left)
    {
        var sources = new List<BundleSource>();
        foreach (var source in all)
        {
            var words = WordsFor(source);
            if (sources.Count >= limits.Sources)
            {
                omissions.Add($"{words} is left out: a bundle has at most {limits.Sources} sources.");
                continue;
            }

            var (text, count) = Clean(source.Text, words);
            var (kept, isCut) = Cut(text, Math.Min(limits.Of(source.Kind), left));
            if (isCut) omissions.Add(kept.Length == 0 ? $"{words} is left out: the bundle is full ({limits.BundleBytes} bytes)." : $"The end of {words} is left out: {Encoding.UTF8.GetByteCount(text) - Encoding.UTF8.GetByteCount(kept)} bytes more than there is place for.");
            if (kept.Length == 0) continue;
            sources.Add(new(source with { Text = "" }, kept, ContentDigest.Of(kept), count, isCut));
            left -= sources[^1].Bytes;
        }

        return sources;
    }

    /// <summary>Secrets go before anything else looks at the text; findings name lines, and repeat nothing.</summary>
    private (string Text, int Redactions) Clean(string text, string where)
    {
        var (clean, counts) = redactor.Redact(text.ReplaceLineEndings("\n"));
        foreach (var (category, count) in counts) redactions[category] = redactions.GetValueOrDefault(category) + count;
        foreach (var finding in PromptSafety.Scan(clean)) findings.Add(string.Create(CultureInfo.InvariantCulture, $"{where}, line {finding.Line}: {finding.Problem}"));
        return (Visible.Of(clean).Text, counts.Values.Sum());
    }

    /// <summary>Whole lines; only a first line that is too long itself is cut within.</summary>
    private static (string Text, bool IsCut) Cut(string text, int most)
    {
        if (most <= 0) return ("", true);
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length <= most) return (text, false);
        var end = bytes.AsSpan(0, most).LastIndexOf((byte)'\n') + 1;
        if (end == 0) end = most;
        while (end > 0 && end < bytes.Length && (bytes[end] & 0xC0) == 0x80) end--;
        return (Encoding.UTF8.GetString(bytes, 0, end), true);
    }

    private static string DigestOf(IEnumerable<BundleLayer> layers, IEnumerable<BundleSource> sources) => CanonicalJson.Digest(new JsonObject
    {
        ["version"] = 1,
        ["layers"] = new JsonArray([.. layers.Select(l => new JsonObject { ["name"] = l.Name, ["digest"] = l.Digest })]),
        ["sources"] = new JsonArray([.. sources.Select(s => new JsonObject
        {
            ["kind"] = s.Source.Kind, ["name"] = s.Source.Name, ["ref"] = s.Source.Ref, ["path"] = s.Source.Path, ["author"] = s.Source.Author, ["trustTier"] = s.Source.TrustTier, ["digest"] = s.Digest,
        })]),
    });

    /// <summary>
    /// Follows from the digest of everything, so that no author of a part can know it; and should it be in the text all the same, the next one is taken.
    /// </summary>
    private static string BoundaryFor(string digest, IReadOnlyList<string> texts)
    {
        for (var round = 0; ; round++)
        {
            var boundary = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"boundary {round} {digest}")))[..32];
            if (texts.All(t => !t.Contains(boundary, StringComparison.OrdinalIgnoreCase))) return boundary;
        }
    }

    private ApiException TooLarge(List<BundleLayer> layers)
    {
        var largest = layers.MaxBy(l => l.Bytes)!;
        var problem = $"is {largest.Bytes} bytes; the instructions of a run have at most {limits.PromptBytes} together, and have {layers.Sum(l => l.Bytes)}";
        var field = largest.Name == LayerNames.UserTask ? "task" : largest.Name;
        return new(422, "Invalid", $"{field} {problem}", [new("VALIDATION_FAILED", field, problem)]) { ProductCode = "VALIDATION_FAILED" };
    }

    private static string WordsFor(SourceText source) => Visible.Of($"{source.Kind} {source.Name}{(source.Path is { Length: > 0 } path ? " " + path : "")}".ReplaceLineEndings(" ")).Text;}
