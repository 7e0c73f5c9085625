using Krate.Core.Gateway;

namespace Krate.Web.Hosting;

/// <summary>Who makes this request; set once, before any endpoint runs.</summary>
public sealed record ActorFeature(Actor Actor);

public static class ActorFeatureExtensions
{
    /// <summary>The actor of the request, impersonation included; anonymous when nobody signed in.</summary>
    public static Actor GetActor(this HttpContext context) =>
        context.Features.Get<ActorFeature>()?.Actor ?? Actor.Anonymous with { CorrelationId = context.TraceIdentifier };
}
