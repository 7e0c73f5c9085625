using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Krate.Core.Resources;

/// <summary>Kubernetes' rules for names, labels, annotations and finalizers, with Krate's bounds. Types are the schema's matter.</summary>
public static partial class MetadataRules
{
    /// <summary>Most labels of one resource; each is a row of the label index.</summary>
    public const int MaxLabels = 64;

    /// <summary>Longest sum of annotation keys and values, in bytes, as in Kubernetes.</summary>
    public const int MaxAnnotationBytes = 256 * 1024;

    private const string Subdomain = "must consist of lower case letters, digits, '-' or '.', and start and end with a letter or digit";

    public static bool IsDnsLabel(string name) => name.Length <= 63 && DnsLabel().IsMatch(name);

    public static bool IsDnsSubdomain(string name) => name.Length <= 253 && DnsSubdomain().IsMatch(name);

    public static bool IsLabelValue(string value) => value.Length <= 63 && LabelValue().IsMatch(value);

    /// <summary>A name part of at most 63 characters, after an optional DNS prefix and a slash.</summary>
    public static bool IsQualifiedName(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var name = key[(slash + 1)..];
        return (slash < 0 || IsDnsSubdomain(key[..slash])) && name.Length is > 0 and <= 63 && LabelValue().IsMatch(name);
    }

    internal static void Check(KindDefinition kind, JsonObject? metadata, List<FieldError> errors)
    {
        CheckName(kind, metadata, errors);
        if (metadata is null) return;
        if (metadata.Text("namespace") is { Length: > 0 } ns && !IsDnsLabel(ns))
            errors.Add(Invalid("metadata.namespace", "must be an RFC 1123 label: at most 63 lower case letters, digits or '-'"));
        CheckLabels(metadata["labels"] as JsonObject, errors);
        CheckAnnotations(metadata["annotations"] as JsonObject, errors);
        var at = 0;
        foreach (var finalizer in metadata.Texts("finalizers"))
        {
            if (!IsQualifiedName(finalizer)) errors.Add(Invalid($"metadata.finalizers[{at}]", "must be a qualified name such as krate.a5c.ai/organization"));
            at++;
        }
    }

    private static void CheckName(KindDefinition kind, JsonObject? metadata, List<FieldError> errors)
    {
        var name = metadata.Text("name") ?? "";
        var prefix = metadata.Text("generateName") ?? "";
        if (name.Length == 0 && prefix.Length == 0)
        {
            if (!kind.CreateOnly && !kind.Numbered && kind.NamePrefix is null)
                errors.Add(new FieldError(SchemaValidator.FieldRequired, "metadata.name", "name or generateName is required"));
            return;
        }

        if (name.Length > 0 && NameProblem(kind, name) is { } problem)
            errors.Add(Invalid("metadata.name", problem));
        if (name.Length == 0 && NameProblem(kind, prefix.TrimEnd('-') + "x") is { } wrong)
            errors.Add(Invalid("metadata.generateName", wrong));
    }

    /// <summary>What is wrong with a name for this kind; null when it is fine.</summary>
    public static string? NameProblem(KindDefinition kind, string name)
    {
        if (name.Length > kind.MaxNameLength) return $"must have at most {kind.MaxNameLength} characters";

        // As in Kubernetes: names of RBAC objects are any path segment (system:masters, github:mira).
        if (kind.Group == "rbac.authorization.k8s.io")
            return name is "." or ".." || name.Any(c => c is '/' or '%' || char.IsControl(c) || char.IsWhiteSpace(c)) ? "must be a path segment: no '/', '%', spaces or control characters, and not '.' or '..'" : null;
        if (kind is { Kind: "Namespace", Group: "" })
            return IsDnsLabel(name) ? null : "must be an RFC 1123 label: at most 63 lower case letters, digits or '-', starting and ending with a letter or digit";
        return IsDnsSubdomain(name) ? null : $"must be an RFC 1123 subdomain: {Subdomain}";
    }

    private static void CheckLabels(JsonObject? labels, List<FieldError> errors)
    {
        if (labels is null) return;
        if (labels.Count > MaxLabels)
            errors.Add(new FieldError("FieldValueTooMany", "metadata.labels", $"must have at most {MaxLabels} labels"));
        foreach (var (key, value) in labels)
        {
            if (!IsQualifiedName(key))
                errors.Add(Invalid("metadata.labels", $"key {Short(key)} must be at most 63 letters, digits, '-', '_' or '.', after an optional DNS prefix and '/'"));
            else if (value is JsonValue v && v.TryGetValue<string>(out var text) && !IsLabelValue(text))
                errors.Add(Invalid("metadata.labels", $"value of {key} must be at most 63 letters, digits, '-', '_' or '.', and start and end with a letter or digit"));
        }
    }

    private static void CheckAnnotations(JsonObject? annotations, List<FieldError> errors)
    {
        if (annotations is null) return;
        var size = 0L;
        foreach (var (key, value) in annotations)
        {
            if (!IsQualifiedName(key.ToLowerInvariant()))
                errors.Add(Invalid("metadata.annotations", $"key {Short(key)} must be at most 63 letters, digits, '-', '_' or '.', after an optional DNS prefix and '/'"));
            size += System.Text.Encoding.UTF8.GetByteCount(key);
            if (value is JsonValue v && v.TryGetValue<string>(out var text)) size += System.Text.Encoding.UTF8.GetByteCount(text);
        }

        if (size > MaxAnnotationBytes)
            errors.Add(new FieldError("FieldValueTooLong", "metadata.annotations", $"must have at most {MaxAnnotationBytes} bytes in all"));
    }

    private static string Short(string key) => key.Length <= 80 ? $"\"{key}\"" : $"\"{key[..80]}...\"";

    private static FieldError Invalid(string field, string message) => new(SchemaValidator.FieldInvalid, field, message);

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex DnsLabel();

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex DnsSubdomain();

    [GeneratedRegex(@"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex LabelValue();
}
