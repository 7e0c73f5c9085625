namespace Krate.Core.Gateway;

/// <summary>Whether one rule allows one request, as Kubernetes decides it. Pure.</summary>
public static class RbacEvaluator
{
    public static bool Allows(PolicyRule rule, AccessRequest request) => request.Path is { } path
        ? Has(rule.Verbs, request.Verb) && AllowsPath(rule, path)
        : Has(rule.Verbs, request.Verb)
            && Has(rule.ApiGroups, request.Group)
            && AllowsResource(rule, request.Resource, request.Subresource)
            && AllowsName(rule, request.Name);

    /// <summary>The rule lists the value, or <c>*</c>.</summary>
    internal static bool Has(IReadOnlyList<string> listed, string value)
    {
        for (var i = 0; i < listed.Count; i++)
            if (listed[i] == value || listed[i] == "*") return true;
        return false;
    }

    /// <summary><c>*</c> is every resource and subresource, <c>pods/log</c> one subresource, <c>*/log</c> that subresource of everything.</summary>
    internal static bool AllowsResource(PolicyRule rule, string resource, string subresource)
    {
        var combined = Combined(resource, subresource);
        foreach (var listed in rule.Resources)
        {
            if (listed == "*" || listed == combined) return true;
            if (subresource.Length > 0 && listed.Length == subresource.Length + 2 && listed.StartsWith("*/", StringComparison.Ordinal) && listed.EndsWith(subresource, StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    /// <summary>A rule with resourceNames never allows a request without a name: list, watch, create and deletecollection, unless a field selector names one.</summary>
    internal static bool AllowsName(PolicyRule rule, string name)
    {
        if (rule.ResourceNames.Count == 0) return true;
        foreach (var listed in rule.ResourceNames)
            if (listed == name) return true;
        return false;
    }

    internal static bool AllowsPath(PolicyRule rule, string path)
    {
        foreach (var listed in rule.NonResourceUrls)
            if (CoversPath(listed, path)) return true;
        return false;
    }

    /// <summary>A trailing <c>*</c> stands for any rest.</summary>
    internal static bool CoversPath(string listed, string path) =>
        listed == path || (listed.EndsWith('*') && path.StartsWith(listed.TrimEnd('*'), StringComparison.Ordinal));

    internal static string Combined(string resource, string subresource) => subresource.Length == 0 ? resource : $"{resource}/{subresource}";
}
