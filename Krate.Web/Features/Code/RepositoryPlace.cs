using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Web.Features.Code;

/// <summary>The repository that a page is about, as it was at the last change. A push makes a new one.</summary>
/// <param name="Place">Organization.</param>
/// <param name="OpenAsync">
/// The repository as the person may read it at this moment; ask before each reading of git that is not part of the first drawing.
/// Throws ApiException 404 when they may not any more.
/// </param>
public sealed record RepositoryPlace(Place Place, HostedRepository Hosted, CodeUrls Urls, Func<CancellationToken, Task<HostedRepository>> OpenAsync)
{
    public string Name => Hosted.Name;

    public Resource Resource => Hosted.Resource;

    public GitRepository Git => Hosted.Git;
}
