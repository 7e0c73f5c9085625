namespace Krate.Core.Repositories;

/// <summary>One ref moving from one object to another; forty (or sixty-four) zeros stand for "not there".</summary>
public sealed record RefUpdate(string Ref, string Old, string New)
{
    public bool IsCreate => IsNone(Old);

    public bool IsDelete => IsNone(New);

    /// <summary>Branch name, or null when the ref is none.</summary>
    public string? Branch => Ref.StartsWith(Heads, StringComparison.Ordinal) ? Ref[Heads.Length..] : null;

    public const string Heads = "refs/heads/";

    public const string None = "0000000000000000000000000000000000000000";

    public static bool IsNone(string id) => id.All(c => c == '0');
}

/// <summary>Who moved a ref, as its log says.</summary>
/// <param name="PushId">Ties together what one push did; empty when it was no push.</param>
public sealed record RecordedUpdate(RefUpdate Update, string User, string PushId);
