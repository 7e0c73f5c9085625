namespace Krate.Web.Components.Markdown;

/// <summary>Where the links of a text lead that do not name a host.</summary>
public abstract class MarkdownLinks
{
    /// <summary>Address of the text itself, for links within it; null when those lead nowhere.</summary>
    public abstract string? Here { get; }

    /// <param name="path">As it is written in the text, unescaped: "../a b.md", "/docs".</param>
    /// <returns>Null for what leads nowhere.</returns>
    public abstract string? Page(string path);

    /// <summary>As <see cref="Page"/>, for the source of an image.</summary>
    public abstract string? Image(string path);

    /// <summary>What in a piece of plain text names something that has a page (an issue, a commit, a person): where, and its address. In order, not overlapping.</summary>
    public virtual IEnumerable<(int Start, int Length, string Address)> References(string text) => [];
}
