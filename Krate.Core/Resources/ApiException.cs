using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>One thing wrong with one field. <paramref name="Field"/> is a path as Kubernetes writes it (<c>spec.sources[0]</c>).</summary>
/// <param name="Reason">Stable CamelCase or UPPER_SNAKE code: Kubernetes' own (<c>FieldValueRequired</c>, <c>FieldValueInvalid</c>,
/// <c>FieldValueNotSupported</c>, <c>FieldManagerConflict</c>) or one of Krate's org codes.</param>
/// <param name="Field">Where, in the words of the manifest.</param>
/// <param name="Message">What is wrong and what would be right; for people, never parsed.</param>
public sealed record FieldError(string Reason, string Field, string Message);

/// <summary>
/// A refusal that a caller can act on. The one exception type that crosses the gateway for anything a person or a client
/// can cause; everything else that is thrown is a bug or lost infrastructure. Mapped to a Kubernetes <c>Status</c>, to the
/// typed JSON error and to the page's error panel in one place each.
/// </summary>
public sealed class ApiException : Exception
{
    public ApiException(int code, string reason, string message, IReadOnlyList<FieldError>? causes = null)
        : base(message)
    {
        Code = code;
        Reason = reason;
        Causes = causes ?? [];
    }

    /// <summary>HTTP status code.</summary>
    public int Code { get; }

    /// <summary>Kubernetes status reason (<c>NotFound</c>, <c>Conflict</c>, <c>Invalid</c> ...).</summary>
    public string Reason { get; }

    /// <summary>Product code of spec 02 (<c>ORG_REQUIRED</c>, <c>SECRET_VALUE_REJECTED</c> ...) where there is one.</summary>
    public string? ProductCode { get; init; }

    /// <summary>Per-field details; empty when the refusal is about the whole object.</summary>
    public IReadOnlyList<FieldError> Causes { get; }

    /// <summary>The kind, group and name that the refusal is about, where known.</summary>
    public (string Group, string Kind, string Name) Subject { get; init; } = ("", "", "");

    /// <summary>Seconds to wait before trying again, for 429 and 503.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Where the bytes go on that were sent to a wrong place, for 409.</summary>
    public long? Offset { get; init; }

    public static ApiException NotFound(KindDefinition kind, string name) =>
        new(404, "NotFound", $"{kind.QualifiedPlural} \"{name}\" not found") { Subject = (kind.Group, kind.Plural, name) };

    public static ApiException AlreadyExists(KindDefinition kind, string name) =>
        new(409, "AlreadyExists", $"{kind.QualifiedPlural} \"{name}\" already exists") { Subject = (kind.Group, kind.Plural, name) };

    public static ApiException Conflict(KindDefinition kind, string name, string? why = null) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {kind.QualifiedPlural} \"{name}\": {why ?? "the object has been modified; please apply your changes to the latest version and try again"}")
        { Subject = (kind.Group, kind.Plural, name) };

    public static ApiException Invalid(KindDefinition kind, string name, params IReadOnlyList<FieldError> causes) =>
        new(422, "Invalid", $"{kind.Kind}.{kind.Group} \"{name}\" is invalid: {string.Join("; ", causes.Select(c => $"{c.Field}: {c.Message}"))}", causes)
        { Subject = (kind.Group, kind.Kind, name), ProductCode = causes.Select(c => c.Reason).FirstOrDefault(r => r.Contains('_', StringComparison.Ordinal)) };

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException Forbidden(string message) => new(403, "Forbidden", message);

    public static ApiException Unauthorized(string message = "Unauthorized") => new(401, "Unauthorized", message);

    public static ApiException Expired(string message = "too old resource version") => new(410, "Expired", message);

    public static ApiException MethodNotAllowed(KindDefinition kind, string verb) =>
        new(405, "MethodNotAllowed", $"{verb} is not supported on resources of kind \"{kind.QualifiedPlural}\"") { Subject = (kind.Group, kind.Plural, "") };

    public static ApiException Unavailable(string message) => new(503, "ServiceUnavailable", message) { ProductCode = "STORE_UNAVAILABLE", RetryAfterSeconds = 1 };

    public static ApiException TooManyRequests(string message, int retryAfterSeconds) =>
        new(429, "TooManyRequests", message) { ProductCode = "RATE_LIMITED", RetryAfterSeconds = retryAfterSeconds };

    /// <summary>The Kubernetes <c>Status</c> object of this refusal.</summary>
    public JsonObject ToStatus()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
            ["reason"] = Reason,
            ["code"] = Code,
        };
        var details = new JsonObject();
        if (Subject.Name.Length > 0) details["name"] = Subject.Name;
        if (Subject.Group.Length > 0) details["group"] = Subject.Group;
        if (Subject.Kind.Length > 0) details["kind"] = Subject.Kind;
        if (Causes.Count > 0)
            details["causes"] = new JsonArray([.. Causes.Select(c => (JsonNode)new JsonObject { ["reason"] = c.Reason, ["message"] = c.Message, ["field"] = c.Field })]);
        if (RetryAfterSeconds is { } seconds) details["retryAfterSeconds"] = seconds;
        if (Offset is { } offset) details["offset"] = offset;
        if (details.Count > 0) status["details"] = details;
        return status;
    }
}
