namespace Krate.Web.Features.Code;

/// <summary>Every address of a repository's pages. Names from people are escaped here and nowhere else.</summary>
public sealed class CodeUrls(string org, string repository)
{
    public string Repositories { get; } = RepositoriesOf(org);

    public string Home { get; } = $"{RepositoriesOf(org)}/{Uri.EscapeDataString(repository)}";

    public string Branches => Home + "/branches";

    public string Tags => Home + "/tags";

    public static string RepositoriesOf(string org) => $"/orgs/{Uri.EscapeDataString(org)}/repositories";

    public static string NewOf(string org) => RepositoriesOf(org) + "/new";

    public static string ConnectOf(string org) => $"/orgs/{Uri.EscapeDataString(org)}/connect";

    /// <param name="revision">Branch, tag or commit id.</param>
    public string Tree(string revision, string path = "") => At("tree", revision, path);

    public string Blob(string revision, string path) => At("blob", revision, path);

    public string Raw(string revision, string path) => At("raw", revision, path);

    public string Blame(string revision, string path) => At("blame", revision, path);

    public string History(string revision, string path = "") => At("history", revision, path);

    public string Commit(string id) => $"{Home}/commit/{Uri.EscapeDataString(id)}";

    public string Compare(string from, string to) => $"{Home}/compare/{Escape(from)}...{Escape(to)}";

    public string Search(string query = "") => query.Length == 0 ? Home + "/search" : $"{Home}/search?q={Uri.EscapeDataString(query)}";

    public string Issues => Home + "/issues";

    public string NewIssue => Issues + "/new";

    public string Issue(long number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Issues}/{number}");

    public string Pulls => Home + "/pulls";

    public string NewPull => Pulls + "/new";

    /// <param name="tab">commits, files or yaml; empty for the conversation.</param>
    public string Pull(long number, string tab = "") =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Pulls}/{number}{(tab.Length > 0 ? "/" + tab : "")}");

    public string Hooks => Home + "/hooks";

    public string Runs => Home + "/runs";

    /// <summary>A run, or one job of it with its log.</summary>
    public string Run(string name, string job = "") => $"{Runs}/{Uri.EscapeDataString(name)}{(job.Length > 0 ? "/jobs/" + Uri.EscapeDataString(job) : "")}";

    public string Settings(string section = "") => section.Length == 0 ? Home + "/settings" : $"{Home}/settings/{Uri.EscapeDataString(section)}";

    /// <summary>Address for <c>git clone</c>.</summary>
    /// <param name="host">Scheme, host and port of this Krate, with or without a slash at the end.</param>
    public string Clone(string host) => $"{host.TrimEnd('/')}/git/{Uri.EscapeDataString(org)}/{Uri.EscapeDataString(repository)}.git";

    /// <summary>A path with its slashes, each part escaped.</summary>
    public static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    /// <summary>
    /// What stands behind the name of the page ("main/src/a.cs" of ".../blob/main/src/a.cs"), with every part unescaped once.
    /// </summary>
    /// <param name="rawPath">Path of the address as the client wrote it.</param>
    public static string RestOf(string rawPath)
    {
        // "", orgs, {org}, repositories, {repository}, {page}, rest
        var parts = ("/" + rawPath.TrimStart('/')).Split(['?', '#'], 2)[0].Split('/', 7);
        return parts.Length < 7 ? "" : string.Join('/', parts[6].Trim('/').Split('/').Select(Uri.UnescapeDataString));
    }

    private string At(string page, string revision, string path) =>
        path.Length == 0 ? $"{Home}/{page}/{Escape(revision)}" : $"{Home}/{page}/{Escape(revision)}/{Escape(path)}";
}
