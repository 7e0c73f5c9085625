using Krate.Core.Git;
using Krate.Core.Resources;
using Krate.Web.Live;

namespace Krate.Web.Features.Code;

/// <summary>A page that shows one answer of git: read once for its address and again after a push, with refusals in words.</summary>
/// <typeparam name="T">What the page shows.</typeparam>
public abstract class GitView<T> : LiveComponent
    where T : class
{
    private (string Address, long Version) loaded;

    /// <summary>Null until it is read, and after a refusal.</summary>
    protected T? Shown { get; private set; }

    protected ApiException? Problem { get; private set; }

    /// <summary>What the address asks for; another one is read anew.</summary>
    protected abstract string Asked { get; }

    protected abstract RepositoryPlace Place { get; }

    protected abstract Task<T> ReadAsync(CancellationToken ct);

    /// <summary>Reads what the address asks for, unless it is shown.</summary>
    protected async Task ShowAsync()
    {
        var asked = (Asked, Place.Resource.Version);
        if (asked == loaded) return;
        loaded = asked;
        try
        {
            var read = await Carrier.LoadAsync(RendererInfo, $"{GetType().Name}|{Place.Urls.Home}|{asked.Asked}", () => ReadAsync(Gone));
            if (asked != loaded) return;
            (Shown, Problem) = (read, null);
        }
        catch (ApiException e) when (asked == loaded)
        {
            (Shown, Problem) = (null, e);
        }
        catch (TimeoutException) when (asked == loaded)
        {
            (Shown, Problem) = (null, new ApiException(504, "Timeout", "git took too long over this. Try again, or ask for less."));
        }
        catch (GitException) when (asked == loaded)
        {
            (Shown, Problem) = (null, new ApiException(500, "InternalError", "git could not read the repository; the log of Krate says why."));
        }
    }
}
