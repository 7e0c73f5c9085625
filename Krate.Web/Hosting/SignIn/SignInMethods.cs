namespace Krate.Web.Hosting.SignIn;

/// <summary>The ways to sign in that this Krate offers.</summary>
/// <param name="LocalDeveloper">The button for the person at this machine: no provider is configured and only this machine can reach Krate.</param>
public sealed record SignInMethods(bool LocalDeveloper);
