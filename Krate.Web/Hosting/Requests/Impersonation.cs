using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Resources;

namespace Krate.Web.Hosting.Requests;

/// <summary>Kubernetes' impersonation headers: each name that is taken on needs the verb <c>impersonate</c> on it; both identities are kept.</summary>
internal sealed class Impersonation(IAuthorizer authorizer, IDenialLog denials)
{
    private const string AuthenticationGroup = "authentication.k8s.io";
    private const string ExtraPrefix = "Impersonate-Extra-";

    /// <exception cref="ApiException">400 for headers without a user, 403 when the actor may not.</exception>
    public async ValueTask<Actor> ApplyAsync(Actor actor, IHeaderDictionary headers, CancellationToken ct)
    {
        var user = headers["Impersonate-User"].ToString();
        var groups = headers["Impersonate-Group"].OfType<string>().Where(g => g.Length > 0).ToList();
        var uid = headers["Impersonate-Uid"].ToString();
        var extras = headers.Where(h => h.Key.StartsWith(ExtraPrefix, StringComparison.OrdinalIgnoreCase)).ToList();
        if (user.Length == 0)
            return groups.Count + uid.Length + extras.Count == 0 ? actor : throw ApiException.BadRequest("Impersonate-Group, -Uid and -Extra need Impersonate-User");

        await DemandAsync(actor, ForUser(user), ct);
        foreach (var group in groups) await DemandAsync(actor, new AccessRequest { Verb = "impersonate", Resource = "groups", Name = group }, ct);
        if (uid.Length > 0) await DemandAsync(actor, new AccessRequest { Verb = "impersonate", Group = AuthenticationGroup, Resource = "uids", Name = uid }, ct);
        foreach (var (key, values) in extras)
            foreach (var value in values) await DemandAsync(actor, ForExtra(key, value ?? ""), ct);
        return new Actor(user, AllGroups(user, groups))
        {
            Uid = uid.Length > 0 ? uid : null,
            Impersonator = actor,
            CorrelationId = actor.CorrelationId,
            Source = actor.Source,
        };
    }

    /// <summary>A ServiceAccount comes with its groups unless others are asked for; everybody but the anonymous user is authenticated.</summary>
    private static List<string> AllGroups(string user, List<string> groups)
    {
        var all = new List<string>(groups);
        if (all.Count == 0 && ServiceAccountName.TryParse(user, out var ns, out _)) all.AddRange([ServiceAccountName.AllGroup, ServiceAccountName.NamespaceGroup(ns)]);
        var last = user == WellKnown.AnonymousUser ? WellKnown.UnauthenticatedGroup : WellKnown.AuthenticatedGroup;
        if (!all.Contains(WellKnown.AuthenticatedGroup) && !all.Contains(WellKnown.UnauthenticatedGroup)) all.Add(last);
        return all;
    }

    private static AccessRequest ForUser(string user) => ServiceAccountName.TryParse(user, out var ns, out var name)
        ? new AccessRequest { Verb = "impersonate", Resource = "serviceaccounts", Namespace = ns, Name = name }
        : new AccessRequest { Verb = "impersonate", Resource = "users", Name = user };

    private static AccessRequest ForExtra(string header, string value) => new()
    {
        Verb = "impersonate",
        Group = AuthenticationGroup,
        Resource = "userextras",
        Subresource = Uri.UnescapeDataString(header[ExtraPrefix.Length..]).ToLowerInvariant(),
        Name = value,
    };

    private async Task DemandAsync(Actor actor, AccessRequest request, CancellationToken ct)
    {
        var decision = authorizer.Decide(actor, request);
        if (decision.Allowed) return;
        await denials.DeniedAsync(actor, request, decision.Reason, ct);
        var resource = request.Group.Length == 0 ? request.Resource : $"{request.Resource}.{request.Group}";
        throw ApiException.Forbidden($"{resource} \"{request.Name}\" is forbidden: User \"{actor.User}\" cannot impersonate resource \"{request.Resource}\" in API group \"{request.Group}\" {(request.Namespace.Length > 0 ? $"in the namespace \"{request.Namespace}\"" : "at the cluster scope")}");
    }
}
