using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Web.Features.Resources;

namespace Krate.Web.Features.Repositories;

/// <summary>What the form for a new repository says. Holds no rule: the gateway judges the manifest.</summary>
public sealed class RepositoryDraft
{
    public string Name { get; set; } = "";

    public string Description { get; set; } = "";

    public string Visibility { get; set; } = "private";

    public string DefaultBranch { get; set; } = "main";

    public Contents Contents { get; set; }

    public string ImportUrl { get; set; } = "";

    public string ImportPath { get; set; } = "";

    public string ForkOf { get; set; } = "";

    public ResourceChange ToChange(KindDefinition kind, string ns, string org)
    {
        var spec = new JsonObject { ["organizationRef"] = org, ["visibility"] = Visibility };
        if (DefaultBranch.Trim().Length > 0) spec["defaultBranch"] = DefaultBranch.Trim();
        if (Description.Trim().Length > 0) spec["description"] = Description.Trim();
        switch (Contents)
        {
            case Contents.Url:
                spec.Set("hosting.importFrom.url", ImportUrl.Trim());
                break;
            case Contents.Path:
                spec.Set("hosting.importFrom.path", ImportPath.Trim());
                break;
            case Contents.Fork:
                spec["forkOf"] = ForkOf;
                break;
            default:
                break;
        }

        return ResourceChange.Create(kind, ns, Name.Trim(), spec);
    }
}

/// <summary>Where the first commits come from.</summary>
public enum Contents
{
    /// <summary>From a push.</summary>
    Empty,
    Url,
    Fork,
    Path,
}
