using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.Extensions.Logging;

namespace Krate.Core.ControlPlane;

/// <summary>
/// Kubernetes Events about a resource: what <c>kubectl describe</c> and the detail page tell of its recent past. Equal ones
/// are one Event that counts. Telling never stops the work it tells of.
/// </summary>
public sealed class EventRecorder(KindCatalog catalog)
{
    private static readonly WriteOptions Options = new() { FieldManager = "krate-control-plane" };
    private readonly KindDefinition events = catalog["Event"];

    /// <summary>Something went as it should.</summary>
    public Task NormalAsync(ReconcileContext context, Resource about, string reason, string message, CancellationToken ct) => RecordAsync(context, about, "Normal", reason, message, ct);

    /// <summary>Somebody may want to do something about it.</summary>
    public Task WarningAsync(ReconcileContext context, Resource about, string reason, string message, CancellationToken ct) => RecordAsync(context, about, "Warning", reason, message, ct);

    private async Task RecordAsync(ReconcileContext context, Resource about, string type, string reason, string message, CancellationToken ct)
    {
        // Events of cluster-scoped resources are kept where Kubernetes keeps them.
        var ns = about.Namespace.Length > 0 ? about.Namespace : "default";
        var name = Name(about, type, reason, message);
        try
        {
            try
            {
                await context.Gateway.CreateAsync(context.Actor, events, ns, Event(context, about, ns, name, type, reason, message), Options, ct);
            }
            catch (ApiException e) when (e.Reason == "AlreadyExists")
            {
                await CountAsync(context, ns, name, ct);
            }
        }
        catch (ApiException e)
        {
            context.Logger.LogDebug("Event {Reason} about {Key} was not recorded: {Message}", reason, about.Key, e.Message);
        }
    }

    private async Task CountAsync(ReconcileContext context, string ns, string name, CancellationToken ct)
    {
        var document = (await context.Gateway.GetAsync(context.Actor, events, ns, name, ct)).Edit();
        document["count"] = (long.TryParse(document["count"]?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 1) + 1;
        document["lastTimestamp"] = Timestamps.Format(context.Time.GetUtcNow());
        await context.Gateway.UpdateAsync(context.Actor, events, ns, name, document, Options, ct);
    }

    private static JsonObject Event(ReconcileContext context, Resource about, string ns, string name, string type, string reason, string message)
    {
        var now = Timestamps.Format(context.Time.GetUtcNow());
        var involved = new JsonObject { ["apiVersion"] = about.Kind.ApiVersion, ["kind"] = about.Kind.Kind, ["name"] = about.Name, ["uid"] = about.Uid };
        if (about.Namespace.Length > 0) involved["namespace"] = about.Namespace;
        var metadata = new JsonObject { ["name"] = name, ["namespace"] = ns };
        // Who may not see the repository may not read of it here either.
        if (RepositoryScope.RepositoryOf(about) is { } repository) metadata["labels"] = new JsonObject { [WellKnown.RepositoryLabel] = repository };
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = metadata,
            ["involvedObject"] = involved,
            ["type"] = type,
            ["reason"] = reason,
            ["message"] = message.Length <= 1024 ? message : message[..1023] + "…",
            ["source"] = new JsonObject { ["component"] = "krate" },
            ["reportingComponent"] = WellKnown.ApiGroup + "/control-plane",
            ["reportingInstance"] = "krate",
            ["firstTimestamp"] = now,
            ["lastTimestamp"] = now,
            ["count"] = 1,
        };
    }

    /// <summary>The same for the same news, in any process and after any restart.</summary>
    private static string Name(Resource about, string type, string reason, string message)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', about.Uid, type, reason, message)));
        var head = about.Name.Length <= 200 ? about.Name : about.Name[..200].TrimEnd('-', '.');
        return $"{head}.{Convert.ToHexStringLower(hash)[..16]}";
    }
}
