using System.Globalization;
using System.Text.Json.Nodes;
using Krate.Core.ControlPlane;
using Krate.Core.Gateway;
using Krate.Core.Identity;
using Krate.Core.Outbound;
using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Runs;

/// <summary>Writes to whom a pipeline ran for that it failed, once, while that is news. It tells nothing to who may not read the pipeline.</summary>
internal sealed class FailedRunMail(KindCatalog catalog, Mailer mailer, IdentityResolver people, RepositoryOptions options) : IReconciler
{
    /// <summary>After a time without a mail server, or with a wrong one, old failures are not told.</summary>
    private static readonly TimeSpan News = TimeSpan.FromHours(1);

    public string Name => "run-mail";

    public KindDefinition For { get; } = catalog["Pipeline"];

    public IReadOnlyList<WakeUp> WakeUps => [];

    public async Task<Outcome> ReconcileAsync(ResourceKey key, Resource? resource, ReconcileContext context, CancellationToken ct)
    {
        if (resource is null or { IsDeleting: true } || !IsNews(resource, context.Time.GetUtcNow())) return Outcome.Done;
        if (await ReaderAsync(resource, context, ct) is not { } address) return Outcome.Done;
        var error = await mailer.SendAsync(address, $"{resource.Uid}.failed@krate", SubjectOf(resource), TextOf(resource), ct);
        var mail = new JsonObject { ["at"] = Timestamps.Format(context.Time.GetUtcNow()) };
        if (error is not null) mail["error"] = $"The mail server refused it: {error}";
        await context.WriteStatusAsync(resource, new JsonObject { ["mail"] = mail }, ct);
        return Outcome.Done;
    }

    private static bool IsNews(Resource run, DateTimeOffset now) =>
        RunActions.PhaseOf(run) == RunPhase.Failed && run.Body.At("status.mail") is null && run.Body.Text("status.supersededBy") is null
        && DateTimeOffset.TryParse(run.Body.Text("status.completedAt"), CultureInfo.InvariantCulture, out var at) && at > now - News;

    /// <summary>Address of whom it ran for; null when they have none, or may not read it: a CI names whom it likes.</summary>
    private async Task<string?> ReaderAsync(Resource run, ReconcileContext context, CancellationToken ct)
    {
        if (run.Body.Text("status.startedBy") is not { Length: > 0 } name) return null;
        if (people.Resolve(new Credential(name, context.Time.GetUtcNow())).Value is not { } person) return null;
        // A sign-in provider that has verified no address leaves one that is nobody's (RFC 2606).
        if (people.UserOf(person)?.Body.Text("spec.email") is not { Length: > 0 } address || address.EndsWith(".invalid", StringComparison.OrdinalIgnoreCase)) return null;
        try
        {
            await context.Gateway.GetAsync(person, For, run.Namespace, run.Name, ct);
            return address;
        }
        catch (ApiException e) when (e.Code is 403 or 404)
        {
            return null;
        }
    }

    private static string SubjectOf(Resource run) =>
        $"[{run.Label(WellKnown.OrgLabel)}/{run.Body.Text("spec.repository")}] {run.Body.Text("spec.workflow") ?? "A run"} failed on {run.Body.Text("spec.ref")}";

    private string TextOf(Resource run)
    {
        var repository = run.Body.Text("spec.repository") ?? "";
        var lines = new List<string?>
        {
            SubjectOf(run) + ".",
            "",
            run.Body.Text("spec.sha") is { } sha ? $"Commit: {sha}" : null,
            run.Body.Text("status.failedStep") is { } step ? $"Step: {step}" : null,
            run.Body.Text("status.failureSignature") is { } signature ? $"First error: {signature}" : null,
            "",
            $"{options.PublicUrl}/orgs/{Uri.EscapeDataString(run.Label(WellKnown.OrgLabel) ?? "")}/repositories/{Uri.EscapeDataString(repository)}/runs/{Uri.EscapeDataString(run.Name)}",
            "",
            "You get this because the run was for you.",
        };
        return string.Join('\n', lines.OfType<string>().Select(Mailer.OneLine)) + "\n";
    }
}
