using System.Globalization;

namespace Krate.Core.Git;

/// <summary>Who a commit says made it. Whoever commits writes this freely: it proves nothing, and may hold any characters.</summary>
/// <param name="Time">With the offset of the writer's zone; the epoch where git has none that can be read.</param>
public sealed record GitPerson(string Name, string Email, DateTimeOffset Time);

/// <summary>One commit as git has it, read as text: bytes that are no UTF-8 are replaced, terminal colours and line ends within names are left as they are.</summary>
/// <param name="Id">Full.</param>
/// <param name="Parents">Full ids; none for a first commit, two or more for a merge.</param>
/// <param name="Author">Who wrote the change.</param>
/// <param name="Committer">Who put it into the history.</param>
/// <param name="Subject">First paragraph of the message on one line.</param>
/// <param name="Body">The rest of the message; often empty.</param>
public sealed record GitCommit(string Id, IReadOnlyList<string> Parents, GitPerson Author, GitPerson Committer, string Subject, string Body)
{
    public bool IsMerge => Parents.Count > 1;

    /// <summary>For git's <c>--format</c> with <c>-z</c>: NUL is the one character that no name and no message can have.</summary>
    internal const string Format = "%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%s%x00%b";

    /// <summary>As <see cref="Format"/>, with an empty body: for lists, where a message of megabytes must not be read.</summary>
    internal const string ListFormat = "%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%s%x00";

    private const int Fields = 10;

    /// <summary>The commits of an output in one of the formats; a last one that was cut is left out.</summary>
    internal static IEnumerable<GitCommit> Parse(GitOutput output)
    {
        var fields = output.Fields;
        var whole = output.IsCut ? fields.Length - 1 : fields.Length;
        for (var at = 0; at + Fields <= whole; at += Fields)
            yield return new(
                fields[at], fields[at + 1].Split(' ', StringSplitOptions.RemoveEmptyEntries), new(fields[at + 2], fields[at + 3], TimeOf(fields[at + 4])),
                new(fields[at + 5], fields[at + 6], TimeOf(fields[at + 7])), fields[at + 8], fields[at + 9].Trim('\n'));
    }

    /// <summary>Times far out of every calendar are people's mistakes, too.</summary>
    internal static DateTimeOffset TimeOf(string seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(long.TryParse(seconds, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var s) && s is > -60_000_000_000 and < 200_000_000_000 ? s : 0);
}
