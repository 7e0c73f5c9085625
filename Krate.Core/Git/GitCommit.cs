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
}
