using System.Threading.RateLimiting;
using Krate.Core.Resources;
using Krate.Web.Hosting.SignIn;

namespace Krate.Web.Hosting.Requests;

/// <summary>Slows down guessing and flooding where a credential comes into being: sign-in by address, token minting by user.</summary>
internal static class RateLimits
{
    public static IServiceCollection AddRateLimits(this IServiceCollection services, RequestLimits limits) => services.AddRateLimiter(options =>
    {
        options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => PartitionOf(context, limits));
        options.OnRejected = (rejected, _) => new(rejected.HttpContext.RefuseAsync(ApiException.TooManyRequests("Too many attempts; wait a minute", 60)));
    });

    private static RateLimitPartition<string> PartitionOf(HttpContext context, RequestLimits limits)
    {
        var path = context.Request.Path;
        var isPost = HttpMethods.IsPost(context.Request.Method);
        // The way to a provider and the way back count each for itself, so that a limit is one of sign-ins.
        if (path.StartsWithSegments(isPost ? SignInEndpoints.Path : ProviderEndpoints.Path, out var rest))
            return PerMinute($"sign-in {context.Connection.RemoteIpAddress}{(rest.HasValue && rest.Value!.EndsWith("/callback", StringComparison.OrdinalIgnoreCase) ? " back" : "")}", limits.SignInsPerMinute);
        if (!isPost) return RateLimitPartition.GetNoLimiter("");
        var mints = path.Value!.TrimEnd('/').EndsWith("/token", StringComparison.OrdinalIgnoreCase) && path.Value.Contains("/serviceaccounts/", StringComparison.OrdinalIgnoreCase);
        return mints ? PerMinute("token " + context.GetActor().User, limits.TokensPerMinute) : RateLimitPartition.GetNoLimiter("");
    }

    private static RateLimitPartition<string> PerMinute(string key, int permits) => RateLimitPartition.GetSlidingWindowLimiter(key, _ => new SlidingWindowRateLimiterOptions
    {
        PermitLimit = permits,
        Window = TimeSpan.FromMinutes(1),
        SegmentsPerWindow = 6,
        QueueLimit = 0,
    });
}
