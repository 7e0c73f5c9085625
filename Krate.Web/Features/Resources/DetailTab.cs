using Krate.Core.Resources;
using Microsoft.AspNetCore.Components;

namespace Krate.Web.Features.Resources;

/// <summary>A tab that the page of one kind has beside those of all kinds.</summary>
/// <param name="Key">In the address (<c>?tab=permissions</c>).</param>
/// <param name="Content">Draws it for the resource as it is now. It takes nothing from the address itself: it comes while a change of the address is being told, and who asks then ends the circuit.</param>
public sealed record DetailTab(string Key, string Text, RenderFragment<Resource> Content);
