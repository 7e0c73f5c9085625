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

    /// <summary>For git's <c>--format</c>; each commit ends with a record separator.</summary>
    internal const string Format = "%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%s%x00%b%x1e";

    internal const char End = '\x1e';

    /// <summary>Null for what is no commit.</summary>
    internal static GitCommit? Parse(string record)
    {
        if (record.TrimStart('\n').Split('\0') is not [var id, var parents, var an, var ae, var at, var cn, var ce, var ct, var subject, var body]) return null;
        return new(id, parents.Split(' ', StringSplitOptions.RemoveEmptyEntries), new(an, ae, TimeOf(at)), new(cn, ce, TimeOf(ct)), subject, body.Trim('\n'));
    }

    /// <summary>Times far out of every calendar are people's mistakes, too.</summary>
    internal static DateTimeOffset TimeOf(string seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(long.TryParse(seconds, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var s) && Math.Abs(s) < 200_000_000_000 ? s : 0);
}
