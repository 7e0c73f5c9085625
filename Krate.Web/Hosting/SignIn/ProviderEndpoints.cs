namespace Krate.Web.Hosting.SignIn;

/// <summary>To a sign-in provider and back. Plain requests; no circuit takes part.</summary>
internal static class ProviderEndpoints
{
    public const string Path = SignInEndpoints.Path + "/with";

    /// <summary>The page that says why nobody was signed in.</summary>
    public const string RefusedPath = SignInEndpoints.Path + "/refused";

    public static void MapProviders(this IEndpointRouteBuilder app)
    {
        app.MapGet(Path + "/{provider}", (HttpContext context, string provider, ProviderSignIn signIn) => signIn.RunAsync(context, () => signIn.BeginAsync(context, provider)));
        app.MapGet(Path + "/{provider}/callback", (HttpContext context, string provider, ProviderSignIn signIn) => signIn.RunAsync(context, () => signIn.FinishAsync(context, provider)));
    }

    public static string CallbackPath(string provider) => $"{Path}/{provider}/callback";
}
