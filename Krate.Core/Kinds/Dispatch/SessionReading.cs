using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>Who may read what an agent said: whoever may read transcripts, of runs that they may see.</summary>
public static class SessionReading
{
    /// <summary>The attempt whose session is the one of the run; null while there is none.</summary>
    /// <param name="name">One of the run's attempts; null for the last.</param>
    /// <exception cref="ApiException">403 for who may not read transcripts.</exception>
    public static async Task<Resource?> AttemptAsync(IResourceGateway gateway, KindCatalog catalog, Actor actor, Resource run, CancellationToken ct, string? name = null)
    {
        var transcripts = catalog["AgentSessionTranscript"];
        var access = await gateway.ReviewAsync(actor, new AccessRequest { Verb = "get", Group = transcripts.Group, Resource = transcripts.Plural, Namespace = run.Namespace }, ct);
        if (!access.Allowed) throw ApiException.Forbidden($"{transcripts.QualifiedPlural} is forbidden: {access.Reason}");
        var attempt = name is null ? DispatchWriter.AttemptOf(run) : run.Body.Texts("status.attempts").FirstOrDefault(a => a == name);
        return attempt is null ? null : await gateway.GetAsync(actor, catalog["AgentDispatchAttempt"], run.Namespace, attempt, ct);
    }
}
