using Krate.Core.Gateway;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Review;

/// <summary>
/// What a review of one stack reads. Metadata only: no value of a Secret is behind it. An implementation sees one state of the world for the length
/// of a review, or is asked again after a change.
/// </summary>
public interface IReviewFacts
{
    DateTimeOffset Now { get; }

    /// <summary>Null when there is none that the stack may use.</summary>
    /// <param name="reference">A name of the same organization, or <c>name@org</c>.</param>
    Resource? Find(string kind, string reference);

    /// <summary>Grants of the stack's organization that speak of this Secret or ConfigMap.</summary>
    /// <param name="kind">AgentSecretGrant or AgentConfigGrant.</param>
    IReadOnlyList<Resource> Grants(string kind, string name);

    /// <summary>Role bindings of the stack's organization that are about this ServiceAccount or stack.</summary>
    IReadOnlyList<Resource> RoleBindings(string stack, string serviceAccount);

    /// <summary>Everything that the native ServiceAccount may in the organization's namespace.</summary>
    IReadOnlyList<PolicyRule> RulesOf(string serviceAccount);

    /// <summary>Rules of a Role of the namespace, else of a ClusterRole; null when there is neither.</summary>
    (string Kind, IReadOnlyList<PolicyRule> Rules)? Role(string name);
}
