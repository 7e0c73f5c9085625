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
        if (!HttpMethods.IsPost(context.Request.Method)) return RateLimitPartition.GetNoLimiter("");
        var path = context.Request.Path;
        if (path.StartsWithSegments(SignInEndpoints.Path)) return PerMinute("sign-in " + context.Connection.RemoteIpAddress, limits.SignInsPerMinute);
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
