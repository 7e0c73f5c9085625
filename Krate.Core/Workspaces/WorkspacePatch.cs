namespace Krate.Core.Workspaces;

/// <param name="Path">As it is now.</param>
/// <param name="Before">Its name before, when it was moved.</param>
/// <param name="Added">Lines; null for a binary file.</param>
public sealed record PatchFile(string Path, string? Before, int? Added, int? Removed);

/// <summary>What was changed in a workspace, as its files say it.</summary>
/// <param name="Diff">In git's own format, with whole names of objects and binary contents: it applies exactly.</param>
/// <param name="Tree">Name of the tree that the files make.</param>
/// <param name="Warnings">What a person should look at, and what was left out; for people.</param>
/// <param name="IsComplete">Whether nothing was left out that was changed.</param>
public sealed record WorkspacePatch(string Base, string Tree, byte[] Diff, IReadOnlyList<PatchFile> Files, IReadOnlyList<string> Warnings, bool IsComplete)
{
    public bool IsEmpty => Files.Count == 0;
}
