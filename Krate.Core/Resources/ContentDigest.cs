using System.Security.Cryptography;
using System.Text;

namespace Krate.Core.Resources;

/// <summary>Digests of contents as documents keep them: <c>sha256:</c> and 64 hex digits.</summary>
public static class ContentDigest
{
    public static string Of(ReadOnlySpan<byte> bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Of a text in UTF-8.</summary>
    public static string Of(string text) => Of(Encoding.UTF8.GetBytes(text));
}
