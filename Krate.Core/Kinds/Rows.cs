using System.Text.Json.Nodes;
using Krate.Core.Resources;

namespace Krate.Core.Kinds;

/// <summary>Parts that many rows of the table share.</summary>
internal static class Rows
{
    public static readonly KindColumn Phase = new("Phase", "status.phase", Description: "Summary of the status.");

    public static readonly KindColumn Ready = new("Ready", "status.conditions[Ready].status", Description: "Whether everything it needs is there.");

    public static readonly KindColumn Reason = new("Reason", "status.conditions[Ready].reason", Wide: true, Description: "Why it is ready or not.");

    public static readonly DerivedLabel Repository = new(WellKnown.RepositoryLabel, "spec.repository");

    public static readonly DerivedLabel AgentStack = new(WellKnown.AgentStackLabel, "spec.agentStack");

    public static readonly DerivedLabel DispatchRun = new(WellKnown.DispatchRunLabel, "spec.dispatchRun");

    public static readonly DerivedLabel RunnerPool = new(WellKnown.RunnerPoolLabel, "spec.runnerPool");

    public static readonly DerivedLabel TrustTier = new(WellKnown.TrustTierLabel, "spec.trustTier");

    public static readonly DerivedLabel ServiceAccount = new(WellKnown.ServiceAccountLabel, "spec.serviceAccountRef");

    public static readonly DerivedLabel FailureSignature = new(WellKnown.FailureSignatureLabel, "status.failureSignature") { IsDigest = true };

    /// <summary>Gives a field its default when it is absent or null. Makes objects on the way, but leaves a wrongly typed parent to validation.</summary>
    public static void Default(JsonObject body, string path, JsonNode value)
    {
        var steps = path.Split('.');
        var at = body;
        foreach (var step in steps[..^1])
        {
            if (at[step] is null) at[step] = new JsonObject();
            if (at[step] is not JsonObject next) return;
            at = next;
        }

        at[steps[^1]] ??= value;
    }

    public static FieldError Invalid(string field, string message) => new(SchemaValidator.FieldInvalid, field, message);

    public static FieldError Required(string field, string message = "Required value") => new(SchemaValidator.FieldRequired, field, message);

    /// <summary>Addresses are shown and logged; a user name and password in one would be, too.</summary>
    public static IEnumerable<FieldError> NoCredentialsInUrl(JsonObject body, string path)
    {
        if (body.Text(path) is not { Length: > 0 } text) yield break;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
            yield return Invalid(path, "must be an absolute address");
        else if (url.UserInfo.Length > 0)
            yield return new FieldError("SECRET_VALUE_REJECTED", path, "must not contain a user name or password; refer to a Secret");
    }

    /// <summary>Fields that hold a namespace: only the resource's own, which is the org's.</summary>
    public static IEnumerable<FieldError> OwnNamespace(JsonObject body, params string[] paths)
    {
        if (body.Text("metadata.namespace") is not { Length: > 0 } own) yield break;
        foreach (var (field, ns) in paths.SelectMany(p => FieldPath.Find(body, p)))
        {
            if (ns.ToString() is { Length: > 0 } name && name != own)
                yield return new FieldError("CROSS_ORG_REF_DENIED", field, "must be the organization's own namespace");
        }
    }
}
