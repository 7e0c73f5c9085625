using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using Krate.Web.Components.Code;

namespace Krate.Web.Components.Markdown;

/// <summary>Makes a sanitised text part of the page: links, images, names. Sets only attributes and text of elements that may stay.</summary>
internal sealed class MarkdownBody(IHtmlDocument document, MarkdownLinks links, CodeHighlighter highlighter)
{
    /// <summary>Before every id, so that no text can take the place of an element of the page.</summary>
    public const string IdPrefix = "md-";

    private const string Fence = "language-";
    private const int MaxFenceChars = 20_000;

    private static readonly HashSet<string> Classes = new(["contains-task-list", "task-list-item", "footnotes", "footnote-ref", "footnote-back-ref"], StringComparer.Ordinal);

    public async Task FinishAsync(CancellationToken ct)
    {
        // Text that reads otherwise than it is stored deceives: a reviewer, or somebody who copies a command.
        foreach (var text in document.Body!.Descendants<IText>().ToList())
            if (ShownText.Of(text.Data, int.MaxValue) is var shown && shown != text.Data) text.Data = shown;
        var fences = document.Body!.QuerySelectorAll("pre > code").Select(c => (Code: c, Language: c.ClassList.FirstOrDefault(n => n.StartsWith(Fence, StringComparison.Ordinal))?[Fence.Length..])).ToList();
        foreach (var element in document.Body!.QuerySelectorAll("*").ToList())
        {
            Name(element);
            if (element is IHtmlInputElement input) KeepCheckbox(input);
            else if (element is IHtmlImageElement image) Load(image);
            else if (element.LocalName == "a") Lead(element);
        }

        foreach (var text in document.Body.Descendants<IText>().Where(t => t.ParentElement?.Closest("a,code,pre") is null).ToList()) LeadWords(text);
        foreach (var heading in document.Body.QuerySelectorAll("h1[id],h2[id],h3[id],h4[id],h5[id],h6[id]").ToList()) AddAnchor(heading);
        foreach (var table in document.Body.QuerySelectorAll("table").ToList()) LetScroll(table);
        foreach (var (code, language) in fences)
        {
            code.ParentElement!.SetAttribute("tabindex", "0");
            if (language is not null && code.TextContent.Length <= MaxFenceChars) code.InnerHtml = await highlighter.FenceToHtmlAsync(language, code.TextContent, ct);
        }
    }

    private static void Name(IElement element)
    {
        if (element.GetAttribute("id") is { } id) element.SetAttribute("id", IdPrefix + id);
        if (element.GetAttribute("class") is not { } css) return;
        var kept = css.Split(' ').Where(Classes.Contains).ToList();
        if (kept.Count == 0) element.RemoveAttribute("class");
        else element.SetAttribute("class", string.Join(' ', kept));
    }

    /// <summary>Task lists have boxes that nobody ticks; all other inputs go.</summary>
    private static void KeepCheckbox(IHtmlInputElement input)
    {
        if (input.GetAttribute("type") != "checkbox")
        {
            input.Remove();
            return;
        }

        input.SetAttribute("disabled", "disabled");
        input.SetAttribute("aria-label", input.HasAttribute("checked") ? "Done" : "Open");
    }

    private void Lead(IElement link)
    {
        if (link.GetAttribute("href")?.Trim() is not { } written) return;
        if (HostOf(written) is { } external)
        {
            link.SetAttribute("href", external.AbsoluteUri);
            link.SetAttribute("rel", "noopener noreferrer nofollow");
            if (link.TextContent.Contains(external.Host, StringComparison.OrdinalIgnoreCase)) return;
            var host = document.CreateElement("span");
            host.ClassName = "k-md__host";
            host.TextContent = external.Host;
            link.AppendChild(host);
        }
        else if (!written.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase))
        {
            SetOrDrop(link, "href", Resolve(written, links.Page));
        }
    }

    /// <summary>Makes links of the words that name something.</summary>
    private void LeadWords(IText text)
    {
        var (words, at) = (text.Data, 0);
        var parts = new List<INode>();
        foreach (var (start, length, address) in links.References(words))
        {
            if (start > at) parts.Add(document.CreateTextNode(words[at..start]));
            var link = document.CreateElement("a");
            link.SetAttribute("href", address);
            link.TextContent = words.Substring(start, length);
            parts.Add(link);
            at = start + length;
        }

        if (at == 0) return;
        if (at < words.Length) parts.Add(document.CreateTextNode(words[at..]));
        text.Replace([.. parts]);
    }

    private void Load(IHtmlImageElement image)
    {
        var written = image.GetAttribute("src")?.Trim() ?? "";
        if (HostOf(written) is { } external) image.ReplaceWith(Placeholder(image, external));
        else if (written.Length > 0 && Resolve(written, links.Image) is { } address)
        {
            image.SetAttribute("src", address);
            image.SetAttribute("loading", "lazy");
            if (!image.HasAttribute("alt")) image.SetAttribute("alt", "");
        }
        else image.Remove();
    }

    /// <summary>Loading it would tell its host who reads this, and when.</summary>
    private IElement Placeholder(IHtmlImageElement image, Uri external)
    {
        var words = image.GetAttribute("alt") is { Length: > 0 } alt ? $"{alt} (image on {external.Host})" : $"Image on {external.Host}";
        var inLink = image.Closest("a") is not null;
        var placeholder = document.CreateElement(inLink ? "span" : "a");
        placeholder.ClassName = "k-md__remote";
        placeholder.TextContent = words;
        if (inLink) return placeholder;
        placeholder.SetAttribute("href", external.AbsoluteUri);
        placeholder.SetAttribute("rel", "noopener noreferrer nofollow");
        return placeholder;
    }

    private string? Resolve(string written, Func<string, string?> find)
    {
        var parts = written.Split('#', 2);
        var path = parts[0].Split('?', 2)[0];
        var fragment = parts.Length < 2 || parts[1].Length == 0 ? "" : "#" + IdPrefix + Uri.EscapeDataString(Uri.UnescapeDataString(parts[1]));
        var page = path.Length == 0 ? links.Here : find(Uri.UnescapeDataString(path));
        return page is null ? null : page + fragment;
    }

    private void AddAnchor(IElement heading)
    {
        if (links.Here is null) return;
        var anchor = document.CreateElement("a");
        anchor.ClassName = "k-md__anchor";
        anchor.SetAttribute("href", $"{links.Here}#{Uri.EscapeDataString(heading.Id!)}");
        anchor.SetAttribute("aria-hidden", "true");
        anchor.SetAttribute("tabindex", "-1");
        anchor.TextContent = "#";
        heading.AppendChild(anchor);
    }

    private void LetScroll(IElement table)
    {
        var box = document.CreateElement("div");
        box.ClassName = "k-md__table";
        box.SetAttribute("tabindex", "0");
        box.SetAttribute("role", "group");
        box.SetAttribute("aria-label", "Table");
        table.ReplaceWith(box);
        box.AppendChild(table);
    }

    private static void SetOrDrop(IElement element, string name, string? value)
    {
        if (value is null) element.RemoveAttribute(name);
        else element.SetAttribute(name, value);
    }

    /// <returns>The address when it names a host, also as "//host/path"; null for places in the repository.</returns>
    private static Uri? HostOf(string written)
    {
        var whole = written.Replace('\\', '/');
        if (whole.StartsWith("//", StringComparison.Ordinal)) whole = "https:" + whole;
        return Uri.TryCreate(whole, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0 ? uri : null;
    }
}
