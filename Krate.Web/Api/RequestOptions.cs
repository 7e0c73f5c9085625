using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Web.Api;

/// <summary>The query parameters of Kubernetes' requests, checked as Kubernetes checks them.</summary>
internal static class RequestOptions
{
    private const int MaxFieldManager = 128;

    /// <summary>Longer pages than any client asks for; the rest comes by the continue token.</summary>
    private const int MaxLimit = 1_000_000;

    public static ListOptions List(HttpRequest request) => new()
    {
        Labels = Selector.Parse(request.Query["labelSelector"]),
        Fields = Fields(request),
        Limit = (int)Math.Min(Whole(request, "limit") ?? 0, MaxLimit),
        Continue = request.Query["continue"].ToString() is { Length: > 0 } token ? token : null,
    };

    /// <summary>Label and field selectors of a watch; its start is the caller's.</summary>
    public static WatchOptions Watch(HttpRequest request) => new()
    {
        Labels = Selector.Parse(request.Query["labelSelector"]),
        Fields = Fields(request),
        Bookmarks = Flag(request, "allowWatchBookmarks") ?? false,
    };

    public static WriteOptions Write(HttpRequest request, string subresource, Action<string> warn) => new()
    {
        DryRun = IsDryRun(request, null),
        FieldManager = FieldManager(request),
        FieldValidation = Validation(request),
        Subresource = subresource,
        Warn = warn,
    };

    /// <summary>From the body (DeleteOptions) and, where it says nothing, the query.</summary>
    public static DeleteOptions Delete(HttpRequest request, JsonObject? body)
    {
        var policy = body.Text("propagationPolicy") ?? Text(request, "propagationPolicy");
        var orphan = body.At("orphanDependents") is JsonValue v && v.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? v.GetValueKind() == JsonValueKind.True : Flag(request, "orphanDependents");
        if (policy is not (null or "Background" or "Foreground" or "Orphan"))
            throw Invalid("DeleteOptions", "propagationPolicy", "FieldValueNotSupported", $"Unsupported value: \"{policy}\": supported values: \"Background\", \"Foreground\", \"Orphan\"");
        if (policy is not null && orphan is not null) throw Invalid("DeleteOptions", "propagationPolicy", "FieldValueInvalid", "orphanDependents and propagationPolicy may not be set at the same time");
        return new()
        {
            DryRun = IsDryRun(request, body),
            Uid = body.Text("preconditions.uid"),
            ResourceVersion = body.Text("preconditions.resourceVersion") is { Length: > 0 } version ? Version(version) : null,
            PropagationPolicy = policy ?? (orphan == true ? "Orphan" : null),
        };
    }

    /// <summary>The resourceVersion of the query; null when absent, 0 for "0".</summary>
    public static long? Version(HttpRequest request) => Text(request, "resourceVersion") is { } text ? Version(text) : null;

    public static bool? Flag(HttpRequest request, string name) => Text(request, name) switch
    {
        null => null,
        "true" or "1" or "True" or "TRUE" or "t" or "T" => true,
        "false" or "0" or "False" or "FALSE" or "f" or "F" => false,
        var text => throw ApiException.BadRequest($"{name}: \"{text}\" is neither true nor false"),
    };

    public static long? Whole(HttpRequest request, string name) => Text(request, name) switch
    {
        null => null,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) => value,
        var text => throw ApiException.BadRequest($"{name}: \"{text}\" is no whole number"),
    };

    /// <summary>As Kubernetes: the parameter, else the program's name in the User-Agent.</summary>
    public static string FieldManager(HttpRequest request)
    {
        if (Text(request, "fieldManager") is not { } name)
        {
            var program = request.Headers.UserAgent.ToString().Split('/')[0];
            name = new string([.. program.Where(c => !char.IsControl(c)).Take(MaxFieldManager)]);
            return name.Length == 0 ? "unknown" : name;
        }

        if (name.Length > MaxFieldManager) throw Invalid("CreateOptions", "fieldManager", "FieldValueTooLong", $"Too long: may not be more than {MaxFieldManager} bytes");
        return name.Any(char.IsControl) ? throw Invalid("CreateOptions", "fieldManager", "FieldValueInvalid", "Invalid value: should only contain printable characters") : name;
    }

    public static string? Text(HttpRequest request, string name) => request.Query[name].ToString() is { Length: > 0 } text ? text : null;

    private static FieldValidation Validation(HttpRequest request) => Text(request, "fieldValidation") switch
    {
        null or "Warn" => FieldValidation.Warn,
        "Strict" => FieldValidation.Strict,
        "Ignore" => FieldValidation.Ignore,
        var text => throw Invalid("CreateOptions", "fieldValidation", "FieldValueNotSupported", $"Unsupported value: \"{text}\": supported values: \"Ignore\", \"Strict\", \"Warn\""),
    };

    private static bool IsDryRun(HttpRequest request, JsonObject? body)
    {
        var values = request.Query["dryRun"].Where(v => !string.IsNullOrEmpty(v)).Select(v => v!).Concat(body.Texts("dryRun")).ToList();
        if (values.Find(v => v != "All") is { } other) throw Invalid("CreateOptions", "dryRun", "FieldValueNotSupported", $"Unsupported value: \"{other}\": supported values: \"All\"");
        return values.Count > 0;
    }

    /// <summary>Field selectors know equality only.</summary>
    private static Selector Fields(HttpRequest request)
    {
        var selector = Selector.Parse(request.Query["fieldSelector"]);
        if (selector.Terms.Any(t => t.Operator is SelectorOperator.Exists or SelectorOperator.DoesNotExist || t.Values.Count != 1))
            throw ApiException.BadRequest($"invalid field selector: \"{request.Query["fieldSelector"]}\"; write field=value or field!=value");
        return selector;
    }

    private static long Version(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : throw ApiException.BadRequest($"invalid resource version \"{text}\"");

    private static ApiException Invalid(string options, string field, string reason, string message) =>
        new(422, "Invalid", $"{options}.meta.k8s.io \"\" is invalid: {field}: {message}", [new(reason, field, message)]) { Subject = ("meta.k8s.io", options, "") };
}
