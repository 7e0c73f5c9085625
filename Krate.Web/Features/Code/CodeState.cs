using Krate.Core.Git;

namespace Krate.Web.Features.Code;

/// <summary>What a code page shows: where it stands, and what is there.</summary>
/// <param name="Revision">Null when the repository has no commit to show, or the address names none.</param>
/// <param name="Refs">What the picker offers.</param>
public sealed record CodeState(Revision? Revision, CodeContent Content, RefNames Refs)
{
    public string Path => Revision?.Path ?? "";
}

public abstract record CodeContent;

/// <summary>The git directory is not there yet.</summary>
public sealed record NotHosted : CodeContent;

/// <summary>No branch and no tag.</summary>
public sealed record NothingPushed : CodeContent;

public sealed record NoSuchRevision(string Asked) : CodeContent;

public sealed record NoSuchPath(string Path) : CodeContent;

public sealed record FolderContent(TreeListing Listing, FileContent? Readme) : CodeContent;

public enum FileShape
{
    Code,
    Markdown,
    Table,
    Image,
    Binary,
    TooLarge,
    LargeStorage,
    Symlink,
    Submodule,
}

/// <summary>One file, read as far as it is shown.</summary>
/// <param name="Path">From the root of the repository.</param>
/// <param name="Html">The file drawn: highlighted lines, or sanitised Markdown. Null where nothing is drawn of its text.</param>
public sealed record FileContent(TreeEntry Entry, string Path, FileShape Shape) : CodeContent
{
    public BlobText? Text { get; init; }

    public string? Html { get; init; }

    public int Lines { get; init; }

    public LfsPointer? Large { get; init; }

    public CsvRows? Rows { get; init; }

    /// <summary>Can be shown as its source, too.</summary>
    public bool HasSource => Text is not null && Shape is FileShape.Markdown or FileShape.Table or FileShape.Image;
}
