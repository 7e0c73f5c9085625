using System.Security.Cryptography;

namespace Krate.Web.Hosting.Requests;

/// <summary>The nonce of this request's inline scripts (<c>&lt;ImportMap nonce="@Nonce.Value" /&gt;</c>). Scoped.</summary>
public sealed class CspNonce
{
    public string Value { get; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
}
