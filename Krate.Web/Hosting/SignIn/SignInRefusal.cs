using Krate.Core.Resources;

namespace Krate.Web.Hosting.SignIn;

/// <summary>Why a sign-in was refused, left for the page that answers the same request in words.</summary>
public static class SignInRefusal
{
    private static readonly object Key = new();

    internal static void Leave(HttpContext context, ApiException refusal)
    {
        context.Items[Key] = refusal;
        context.Response.StatusCode = refusal.Code;
    }

    /// <summary>Null where nothing was refused, as for who opens the page by its address.</summary>
    public static ApiException? Of(HttpContext? context) => context?.Items[Key] as ApiException;
}
