using k8s.Models;

namespace Krate.Core.Resources;

/// <summary>The schema of <c>metadata</c>, the same for every kind.</summary>
internal static class MetadataSchema
{
    private static readonly Dictionary<string, string> Descriptions = new()
    {
        ["name"] = "Name, unique in its namespace for the kind; fixed after create.",
        ["generateName"] = "Prefix of a name that the server makes unique; used when name is empty.",
        ["namespace"] = "Namespace; product kinds live in their organization's, or in krate-system.",
        ["uid"] = "Unique in time and space; set by the server.",
        ["resourceVersion"] = "Opaque version of the stored document; an update with a stale one is refused.",
        ["generation"] = "Grows when the spec changes; set by the server.",
        ["creationTimestamp"] = "When it was created; set by the server.",
        ["deletionTimestamp"] = "When deletion was asked for; set by the server.",
        ["deletionGracePeriodSeconds"] = "Not used by Krate.",
        ["labels"] = "Short keys and values to select by. Krate sets those below krate.a5c.ai/ from the spec.",
        ["annotations"] = "Free keys and values that are not selected by.",
        ["finalizers"] = "Who must finish before the resource may go.",
        ["ownerReferences"] = "Resources that this one belongs to; it is deleted with them.",
        ["ownerReferences.apiVersion"] = "API group and version of the owner.",
        ["ownerReferences.kind"] = "Kind of the owner.",
        ["ownerReferences.name"] = "Name of the owner.",
        ["ownerReferences.uid"] = "Uid of the owner.",
        ["ownerReferences.controller"] = "Whether the owner manages this resource.",
        ["ownerReferences.blockOwnerDeletion"] = "Whether a foreground deletion of the owner waits for this resource.",
        ["managedFields"] = "Which field manager owns which fields; kept by the server.",
        ["selfLink"] = "Not used.",
    };

    private static readonly string[] Required = ["ownerReferences.apiVersion", "ownerReferences.kind", "ownerReferences.name", "ownerReferences.uid"];

    public static SchemaNode Node { get; } = new()
    {
        Type = SchemaType.Object,
        Description = "Standard object metadata.",
        Reference = SchemaBuilder.MetadataReference,
        Properties = [.. new SchemaBuilder.Members(Descriptions, Required.ToHashSet()).Of(typeof(V1ObjectMeta), "")],
    };

    /// <summary>The component that the reference points to.</summary>
    public static SchemaNode Component { get; } = new() { Type = SchemaType.Object, Description = Node.Description, Properties = Node.Properties };
}
