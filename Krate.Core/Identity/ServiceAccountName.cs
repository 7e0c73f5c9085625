namespace Krate.Core.Identity;

/// <summary><c>system:serviceaccount:ns:name</c>, and the groups that come with it.</summary>
public static class ServiceAccountName
{
    public const string Prefix = "system:serviceaccount:";
    public const string AllGroup = "system:serviceaccounts";

    public static string Format(string ns, string name) => $"{Prefix}{ns}:{name}";

    public static string NamespaceGroup(string ns) => $"{AllGroup}:{ns}";

    public static bool TryParse(string user, out string ns, out string name)
    {
        (ns, name) = ("", "");
        if (!user.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var parts = user[Prefix.Length..].Split(':');
        if (parts.Length != 2 || parts[0].Length == 0 || parts[1].Length == 0) return false;
        (ns, name) = (parts[0], parts[1]);
        return true;
    }
}
