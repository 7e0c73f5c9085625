using Krate.Core.Resources;

namespace Krate.Web.Features.Resources;

/// <summary>The gateway's own messages beside the fields they are about.</summary>
public static class FormProblems
{
    /// <summary>What is wrong with a field; null for nothing. A name that is taken is told beside the name.</summary>
    public static string? About(this ApiException? problem, string field)
    {
        if (problem is { Reason: "AlreadyExists" } && field == "metadata.name") return "is taken; choose another";
        var cause = problem?.Causes.FirstOrDefault(c => c.Field == field || c.Field.StartsWith(field + ".", StringComparison.Ordinal) || c.Field.StartsWith(field + "[", StringComparison.Ordinal));
        return cause?.Message;
    }
}
