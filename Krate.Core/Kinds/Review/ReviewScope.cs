using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>Where and why a stack would run. What is null is open: a grant that narrows it may still fit.</summary>
public sealed record ReviewScope
{
    public static ReviewScope Anywhere { get; } = new();

    public string? Repository { get; init; }

    /// <summary>Full name of the ref.</summary>
    public string? Ref { get; init; }

    /// <summary>What starts the run: manual, ci, issue-comment ...</summary>
    public string? TriggerSource { get; init; }

    /// <summary>trusted or untrusted.</summary>
    public string? TrustTier { get; init; }

    public string? TaskKind { get; init; }

    /// <summary>Teams of the person for whom it runs, by name in the organization; null while nobody is known.</summary>
    public IReadOnlyList<string>? Teams { get; init; }

    /// <summary>Kubernetes user name of that person.</summary>
    public string? User { get; init; }

    public bool IsUntrusted => TrustTier == Kinds.TrustTier.Untrusted;

    /// <summary>Why what narrows a grant keeps it from holding here; null when it holds.</summary>
    internal string? Refuses(Resource grant)
    {
        if (Repository is { } repository && !Admits("spec.allowedRepositories", repository)) return $"does not hold for repository {repository}";
        if (Ref is { } name && !AdmitsRef(grant, name)) return $"does not hold for {name}";
        if (TriggerSource is { } source && !Admits("spec.allowedTriggerSources", source)) return $"does not hold for runs started by {source}";
        return null;

        bool Admits(string path, string value) => grant.Body.Texts(path).ToList() is var all && (all.Count == 0 || all.Contains(value, StringComparer.Ordinal));
    }

    /// <summary>Whether a grant is limited to some places; then it says nothing of the others.</summary>
    internal static bool IsNarrowed(Resource grant) =>
        new[] { "spec.allowedRepositories", "spec.allowedRefs.include", "spec.allowedRefs.exclude", "spec.allowedTriggerSources" }.Any(p => grant.Body.Texts(p).Any());

    /// <summary>First what is included (everything when nothing is), then what is excluded.</summary>
    private static bool AdmitsRef(Resource grant, string name)
    {
        var include = grant.Body.Texts("spec.allowedRefs.include").ToList();
        return (include.Count == 0 || include.Any(g => RefGlob.Matches(g, name))) && !grant.Body.Texts("spec.allowedRefs.exclude").Any(g => RefGlob.Matches(g, name));
    }
}
