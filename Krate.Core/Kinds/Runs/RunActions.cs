using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Runs;

/// <summary>What is done with pipelines and jobs. Each name is the RBAC verb, too; bytes of a log are <c>create</c> on <c>jobs/log</c>.</summary>
public static class RunActions
{
    public const string Start = "start";
    public const string Finish = "finish";
    public const string Cancel = "cancel";
    public const string Rerun = "rerun";

    /// <summary>POST puts bytes at the end, GET reads them.</summary>
    public const string Log = "log";

    internal static IServiceCollection AddRunActions(this IServiceCollection services) => services
        .AddSingleton<RunWriter>()
        .AddSingleton<IResourceAction, StartJobAction>()
        .AddSingleton<IResourceAction, FinishJobAction>()
        .AddSingleton<IResourceAction, AppendLogAction>()
        .AddSingleton<IResourceAction, FinishPipelineAction>()
        .AddSingleton<IResourceAction, CancelPipelineAction>()
        .AddSingleton<IResourceAction, RerunPipelineAction>();

    /// <summary>Refuses fields that an action does not know: a word that is spelt wrong must not be taken for a default.</summary>
    internal static void CheckFields(Resource target, JsonObject body, params string[] known)
    {
        if (body.Select(p => p.Key).FirstOrDefault(k => k is not ("kind" or "apiVersion" or "metadata") && !known.Contains(k)) is { } unknown)
            throw Invalid(target, unknown, known.Length == 0 ? "is not known; this action takes no fields" : $"is not known; this action takes {string.Join(" and ", known)}");
    }

    /// <summary>The phase that a body names; null when it names none.</summary>
    internal static string? PhaseOf(Resource target, JsonObject body) => body["phase"] switch
    {
        null => null,
        var node when RunPhase.IsTerminal(node.Text()) => node.Text(),
        _ => throw Invalid(target, "phase", $"must be {RunPhase.Succeeded}, {RunPhase.Failed} or {RunPhase.Cancelled}"),
    };

    internal static ApiException Invalid(Resource target, string field, string message) => ApiException.Invalid(target.Kind, target.Name, new FieldError("FieldValueInvalid", field, message));

    internal static string PhaseOf(Resource run) => run.Body.Text("status.phase") ?? RunPhase.Queued;
}
