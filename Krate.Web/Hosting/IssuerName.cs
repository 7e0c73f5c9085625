using Krate.Core.Store;

namespace Krate.Web.Hosting;

/// <summary>
/// The issuer belongs to the data directory, not to a process: replicas must agree on it, and a token must outlive a change of
/// port. The first start takes the first address; <c>Krate:Issuer</c> overrules.
/// </summary>
internal static class IssuerName
{
    public static string Of(KrateSettings settings)
    {
        if (settings.Issuer is { } configured) return configured;
        var listener = settings.Listeners.FirstHttps ?? settings.Listeners.All[0];
        return PrivateFile.ReadOrCreate(Path.Combine(settings.Data.Keys, "issuer"), () => listener.ClientUrl).Trim();
    }
}
