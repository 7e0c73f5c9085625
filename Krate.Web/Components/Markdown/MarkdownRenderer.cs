using Ganss.Xss;
using Krate.Web.Components.Code;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Extensions.EmphasisExtras;

namespace Krate.Web.Components.Markdown;

/// <summary>
/// Markdown of people as HTML that can neither run nor load anything from elsewhere: GitHub's dialect, then a list of what may stay,
/// then links resolved. Thread-safe.
/// </summary>
public sealed class MarkdownRenderer(CodeHighlighter highlighter)
{
    /// <summary>Longer texts are shown as their source.</summary>
    public const int MaxChars = 512 << 10;

    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder()
        .UsePipeTables()
        .UseTaskLists()
        .UseAutoLinks()
        .UseFootnotes()
        .UseEmphasisExtras(EmphasisExtraOptions.Strikethrough)
        .UseAutoIdentifiers(AutoIdentifierOptions.GitHub)
        .Build();

    private static readonly string[] Tags =
    [
        "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "input", "ins",
        "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var",
    ];

    private static readonly string[] Attributes = ["align", "alt", "checked", "class", "colspan", "disabled", "height", "href", "id", "open", "rowspan", "src", "start", "title", "type", "width"];

    private readonly HtmlSanitizer sanitizer = NewSanitizer();

    /// <returns>Safe HTML.</returns>
    /// <exception cref="ArgumentException">The text has more than <see cref="MaxChars"/>.</exception>
    public async Task<string> RenderAsync(string text, MarkdownLinks links, CancellationToken ct)
    {
        if (text.Length > MaxChars) throw new ArgumentException("The text is too long to be drawn.", nameof(text));
        string html;
        try
        {
            html = Markdig.Markdown.ToHtml(text, Pipeline);
        }
        catch (ArgumentException)
        {
            // Nested deeper than Markdig follows.
            return $"<pre>{System.Net.WebUtility.HtmlEncode(text)}</pre>";
        }

        var document = sanitizer.SanitizeDom(html);
        await new MarkdownBody(document, links, highlighter).FinishAsync(ct);
        return document.Body!.InnerHtml;
    }

    private static HtmlSanitizer NewSanitizer()
    {
        var options = new HtmlSanitizerOptions
        {
            AllowedTags = Tags.ToHashSet(StringComparer.OrdinalIgnoreCase),
            AllowedAttributes = Attributes.ToHashSet(StringComparer.OrdinalIgnoreCase),
            AllowedSchemes = new HashSet<string>(["http", "https", "mailto"], StringComparer.OrdinalIgnoreCase),
            UriAttributes = new HashSet<string>(["href", "src"], StringComparer.OrdinalIgnoreCase),
        };
        return new HtmlSanitizer(options);
    }
}
