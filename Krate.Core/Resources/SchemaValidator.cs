using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>Judges documents by the structural schema of their kind. Pure.</summary>
public static class SchemaValidator
{
    /// <summary>Every violation of the schema (types, enums, patterns, bounds, required fields), with the path of each. Unknown fields are not violations.</summary>
    public static IReadOnlyList<FieldError> Validate(KindDefinition kind, JsonObject document) => [];

    /// <summary>Removes the fields that the schema does not know and returns their paths (<c>spec.colour</c>), in document order.</summary>
    public static IReadOnlyList<string> Prune(KindDefinition kind, JsonObject document) => [];
}
