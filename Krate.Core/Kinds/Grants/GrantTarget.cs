using Krate.Core.Resources;

namespace Krate.Core.Kinds.Grants;

/// <summary>What sets the two kinds of grant apart: what they speak of, where they name it, and the words of their statuses.</summary>
/// <param name="Kind">Kind that is granted.</param>
/// <param name="Path">Field of the grant that names it.</param>
/// <param name="ExistsCondition">Condition that says whether it is there.</param>
/// <param name="BoundField">Status field that remembers which one it was.</param>
internal sealed record GrantTarget(string GrantKind, string Kind, string Path, string ExistsCondition, string BoundField)
{
    public static GrantTarget Secret { get; } = new("AgentSecretGrant", "Secret", "spec.secretRef", GrantConditions.SecretExists, "boundSecretUid");

    public static GrantTarget ConfigMap { get; } = new("AgentConfigGrant", "ConfigMap", "spec.configMapRef", GrantConditions.ConfigMapExists, "boundConfigMapUid");

    public string NameIn(Resource grant) => grant.Body.Text($"{Path}.name") ?? "";

    /// <summary>Fields of a grant that may name something of a kind.</summary>
    public IEnumerable<string> PathsOf(string kind)
    {
        if (kind == Kind) yield return $"{Path}.name";
        if (Subjects.KindNames.Values.Contains(kind)) yield return "spec.subject.name";
        if (kind == "AgentStack") yield return "spec.subject.stackRef";
    }

    public IReadOnlyList<string> KeysIn(Resource grant) => [.. grant.Body.Texts($"{Path}.keys").Distinct(StringComparer.Ordinal)];
}
