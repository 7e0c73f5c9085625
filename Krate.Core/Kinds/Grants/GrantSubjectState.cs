using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>Who or what a grant is for, as far as it is there.</summary>
/// <param name="Words">Kind and name, for people.</param>
/// <param name="Found">Null when there is none.</param>
internal sealed record GrantSubjectState(string Words, Resource? Found)
{
    /// <summary>Why the kind of the subject means nothing; null when it does.</summary>
    public string? Unknown { get; private init; }

    /// <summary>What is not there: the subject, or what narrows it.</summary>
    public (string Reason, string Message)? Problem { get; private init; }

    public static GrantSubjectState Of(Resource grant, IResourceCache cache, KindCatalog catalog)
    {
        var (spelling, name) = (grant.Body.Text("spec.subject.kind") ?? "", grant.Body.Text("spec.subject.name") ?? "");
        if (KindOf(spelling, catalog) is not { } kind)
            return new($"{spelling} {name}", null) { Unknown = $"spec.subject.kind is {spelling}; it must be one of {string.Join(", ", Subjects.KindNames.Keys)}." };
        var found = Find(kind, name, grant, cache);
        var words = $"{kind.Kind} {name}";
        return new(words, found) { Problem = found is null ? ("SubjectMissing", $"{words} does not exist in this organization.") : Narrowed(grant, cache, catalog) };
    }

    /// <summary>The kind that a spelling means; null for none.</summary>
    public static KindDefinition? KindOf(string spelling, KindCatalog catalog) => Subjects.KindNames.TryGetValue(spelling, out var kind) ? catalog.Find(kind) : null;

    /// <summary>Of the grant's own organization only.</summary>
    private static Resource? Find(KindDefinition kind, string name, Resource grant, IResourceCache cache)
    {
        if (kind.Kind == "Organization" && name != grant.Body.Text("spec.organizationRef")) return null;
        var found = cache.Get(kind, kind.Scope == KindScope.Platform ? WellKnown.PlatformNamespace : grant.Namespace, name);
        return found is { IsDeleting: false } ? found : null;
    }

    private static (string, string)? Narrowed(Resource grant, IResourceCache cache, KindCatalog catalog)
    {
        if (grant.Body.Text("spec.subject.serviceAccountRef") is { Length: > 0 } account && cache.Get(catalog["ServiceAccount"], grant.Namespace, account) is not { IsDeleting: false })
            return ("MissingServiceAccount", $"ServiceAccount {grant.Namespace}/{account}, as which the run must act, does not exist.");
        if (grant.Body.Text("spec.subject.stackRef") is { Length: > 0 } stack && cache.Get(catalog["AgentStack"], grant.Namespace, stack) is not { IsDeleting: false })
            return ("SubjectMissing", $"AgentStack {stack}, which the grant is narrowed to, does not exist.");
        return null;
    }
}
