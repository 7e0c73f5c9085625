using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Kinds.Runs;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Approvals;

/// <summary>A person decides what an agent asked for; the first decision counts (spec 06, "Approvals").</summary>
internal sealed class DecideApprovalAction(DispatchWriter writer, TimeProvider time) : IResourceAction
{
    public const string Verb = "decide", Subresource = "decision";

    public string Kind => "AgentApproval";

    public string Name => Subresource;

    public (string Verb, string Subresource) Access => (Verb, "");

    public async Task<JsonObject> RunAsync(Actor actor, Resource target, JsonObject body, CancellationToken ct)
    {
        RunActions.CheckFields(target, body, "decision", "comment", "expectedGeneration");
        var decision = body.Text("decision");
        if (decision is not ("approved" or "rejected")) throw RunActions.Invalid(target, "decision", "must be approved or rejected");
        if (body["comment"] is { } comment && (comment.Text() is not { } text || text.Length > 10_000)) throw RunActions.Invalid(target, "comment", "must be a text of at most 10,000 characters");
        if (body["expectedGeneration"] is not null && body.Whole("expectedGeneration") != target.Generation) throw new ApiException(409, "Conflict", $"the approval is at generation {target.Generation}; look at it again") { Subject = (target.Kind.Group, target.Kind.Plural, target.Name), ProductCode = "GENERATION_CONFLICT" };
        var decided = await writer.ChangeAsync(PrivilegedAccess.Runs(actor), target, approval => approval.Body.Text("status.phase") switch
        {
            "pending" when approval.Body.Text("spec.expiresAt") is { } end && DateTimeOffset.TryParse(end, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var at) && at <= time.GetUtcNow()
                => throw ApiException.Conflict(approval.Kind, approval.Name, "it has expired"),
            "pending" => new JsonObject { ["phase"] = decision, ["decidedBy"] = actor.User, ["decidedAt"] = writer.Now, ["comment"] = body.Text("comment") },
            var phase => throw new ApiException(409, "Conflict", $"it was {phase} already{(approval.Body.Text("status.decidedBy") is { } who ? $" by {who} at {approval.Body.Text("status.decidedAt")}" : "")}") { Subject = (approval.Kind.Group, approval.Kind.Plural, approval.Name), ProductCode = "ALREADY_DECIDED" },
        }, ct);
        return decided.Body.Copy();
    }
}
