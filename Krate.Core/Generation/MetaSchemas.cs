namespace Krate.Core.Generation;

/// <summary>Schemas of Kubernetes' meta types that every document refers to.</summary>
internal static class MetaSchemas
{
    public const string Prefix = "io.k8s.apimachinery.pkg.apis.meta.v1.";
    public const string ListMeta = Prefix + "ListMeta";

    public static IReadOnlyList<(string Name, string Json)> All { get; } =
    [
        (ListMeta, """
            {
              "type": "object",
              "description": "Version and continuation of a list.",
              "properties": {
                "resourceVersion": { "type": "string", "description": "Version of the snapshot; a watch from here misses nothing." },
                "continue": { "type": "string", "description": "Token of the next page; empty at the end." },
                "remainingItemCount": { "type": "integer", "format": "int64", "description": "How many follow, when known." }
              }
            }
            """),
        (Prefix + "DeleteOptions", """
            {
              "type": "object",
              "description": "How to delete.",
              "properties": {
                "apiVersion": { "type": "string", "description": "v1." },
                "kind": { "type": "string", "description": "DeleteOptions." },
                "dryRun": { "type": "array", "items": { "type": "string" }, "description": "All: everything but the commit." },
                "gracePeriodSeconds": { "type": "integer", "format": "int64", "description": "Not used by Krate." },
                "propagationPolicy": { "type": "string", "enum": ["Orphan", "Background", "Foreground"], "description": "What becomes of what the resource owns." },
                "preconditions": {
                  "type": "object",
                  "description": "What must hold for the deletion to happen.",
                  "properties": {
                    "uid": { "type": "string", "description": "Uid that the resource must have." },
                    "resourceVersion": { "type": "string", "description": "Version that the resource must have." }
                  }
                }
              }
            }
            """),
        (Prefix + "Patch", """
            { "type": "object", "description": "A patch: its form is that of the content type.", "x-kubernetes-preserve-unknown-fields": true }
            """),
        (Prefix + "Status", """
            {
              "type": "object",
              "description": "The answer to a request that gives no resource.",
              "properties": {
                "apiVersion": { "type": "string", "description": "v1." },
                "kind": { "type": "string", "description": "Status." },
                "metadata": { "type": "object", "description": "Empty." },
                "status": { "type": "string", "enum": ["Success", "Failure"], "description": "Whether it worked." },
                "message": { "type": "string", "description": "What happened, for people." },
                "reason": { "type": "string", "description": "Why it did not work, as a CamelCase word." },
                "code": { "type": "integer", "format": "int32", "description": "HTTP status code." },
                "details": {
                  "type": "object",
                  "description": "What it was about.",
                  "properties": {
                    "name": { "type": "string", "description": "Name of the resource." },
                    "group": { "type": "string", "description": "API group of the resource." },
                    "kind": { "type": "string", "description": "Kind of the resource." },
                    "uid": { "type": "string", "description": "Uid of the resource." },
                    "retryAfterSeconds": { "type": "integer", "format": "int32", "description": "Seconds to wait before trying again." },
                    "causes": {
                      "type": "array",
                      "description": "What is wrong with which field.",
                      "items": {
                        "type": "object",
                        "properties": {
                          "reason": { "type": "string", "description": "Stable code." },
                          "field": { "type": "string", "description": "Path of the field." },
                          "message": { "type": "string", "description": "What is wrong and what would be right." }
                        }
                      }
                    }
                  }
                }
              }
            }
            """),
    ];
}
